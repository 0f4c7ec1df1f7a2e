import { ControlClient } from '../../control/client.ts';
import { oneLine } from '../../text/plain-text.ts';
import { defineCommand } from '../command.ts';
import { exitCode } from '../exit-code.ts';
import { jsonText, output } from '../output.ts';
import { withJson } from './options.ts';

/** `dock2ban health`: the image's health check. Says what has failed for more than a minute; the answer is no if anything has. */
export async function health(
  client: Pick<ControlClient, 'status'>,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const { unhealthy } = await client.status();
  if (json) print(jsonText({ healthy: unhealthy.length === 0, unhealthy }));
  else print(unhealthy.length === 0 ? 'healthy\n' : unhealthy.map((fault) => `${oneLine(fault)}\n`).join(''));
  return unhealthy.length === 0 ? exitCode.done : exitCode.no;
}

export const command = defineCommand(
  'health',
  'Whether dock2ban works: what has failed for more than a minute',
  (parser) => parser.options(withJson),
  (argv) => health(new ControlClient(argv.socket), argv.json, output.print),
);
