import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ControlClient } from '../../control/client.ts';
import { Dock2banError, messageOf } from '../../errors.ts';
import { exitCode } from '../exit-code.ts';
import { defineCommand } from '../command.ts';
import { socket } from './options.ts';

/**
 * `dock2ban export [FILE|-]`: all bans, in force and remembered, as JSON. A file is whole or not there, and its owner's alone:
 * matched lines are in it.
 */
export async function exportBans(
  client: Pick<ControlClient, 'export'>,
  file: string,
  stdout: Writable,
): Promise<number> {
  if (file === '-') {
    await pipeline(client.export(), stdout, { end: false });
    return exitCode.done;
  }
  const partial = `${file}.part`;
  try {
    await pipeline(Readable.from(client.export()), createWriteStream(partial, { mode: 0o600 }));
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true });
    if (cause instanceof Dock2banError) throw cause;
    throw new Dock2banError('export', `${file} cannot be written: ${messageOf(cause)}`, { cause });
  }
  return exitCode.done;
}

export const command = defineCommand(
  'export [file]',
  'All bans, in force and remembered, as JSON',
  (parser) =>
    parser
      .options({ socket })
      .positional('file', { type: 'string', default: '-', describe: 'File; -: print' })
      .example('$0 export bans.json', 'to a file that only its owner can read')
      .example('docker exec dock2ban $0 export > bans.json', 'to the host'),
  (argv) => exportBans(new ControlClient(argv.socket), argv.file, process.stdout),
);
