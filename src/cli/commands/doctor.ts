import { ControlClient } from '../../control/client.ts';
import type { ControllerView } from '../../doctor/facts/controller-view.ts';
import { isInTheWay, type Finding, type Severity } from '../../doctor/finding.ts';
import { Dock2banError } from '../../errors.ts';
import { oneLine } from '../../text/plain-text.ts';
import { exitCode } from '../exit-code.ts';
import { defineCommand } from '../command.ts';
import { jsonText, output } from '../output.ts';
import * as common from './options.ts';

export interface DoctorContext {
  readonly client: Pick<ControlClient, 'status'>;
  /** @returns the worst first */
  readonly diagnose: (controller: ControllerView) => Promise<readonly Finding[]>;
}

/** `dock2ban doctor`: why bans may not work on this host, the worst first. The answer is no if anything does. */
export async function doctor(
  { client, diagnose }: DoctorContext,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const findings = await diagnose(await askController(client));
  const isFine = !findings.some(isInTheWay);
  print(json ? jsonText({ ok: isFine, findings }) : doctorText(findings));
  return isFine ? exitCode.done : exitCode.no;
}

async function askController(client: Pick<ControlClient, 'status'>): Promise<ControllerView> {
  try {
    return { status: await client.status() };
  } catch (error) {
    if (!(error instanceof Dock2banError)) throw error;
    return { status: undefined, reason: error.message };
  }
}

/** Findings for a person, and the sum of them. */
export function doctorText(findings: readonly Finding[]): string {
  return [...findings.map(findingText), summary(findings), ''].join('\n');
}

function findingText({ severity, topic, what, consequence, remedy }: Finding): string {
  const lines = [`${severity}: ${topic}: ${what}`];
  if (consequence !== undefined) lines.push(`  so:  ${consequence}`);
  if (remedy !== undefined) lines.push(`  ${severity === 'untested' ? 'try' : 'fix'}: ${remedy}`);
  return lines.map(oneLine).join('\n');
}

function summary(findings: readonly Finding[]): string {
  const of = Map.groupBy(findings, ({ severity }) => severity);
  const count = (severity: Severity): number => of.get(severity)?.length ?? 0;
  const verdict = of.has('error')
    ? 'bans are not working here'
    : of.has('warning')
      ? 'some bans may not work here'
      : `no problems found${of.has('untested') ? ', but not everything could be tested' : ''}`;
  const plural = (severity: Severity): string =>
    `${count(severity)} ${severity}${count(severity) === 1 ? '' : 's'}`;
  return `${verdict}: ${plural('error')}, ${plural('warning')}, ${count('untested')} untested, ${count('ok')} ok`;
}

/** Seconds. */
const longestWait = 3600;

export const command = defineCommand(
  'doctor',
  'Diagnose why bans may not work on this host, with fixes; proves that packets cross the rules',
  (parser) =>
    parser
      .options({
        'docker-host': common.dockerHost,
        'config-dir': common.configDir,
        ...common.withJson,
        'state-dir': common.stateDir,
        'syslog-file': common.syslogFile,
        'syslog-listen': common.syslogListen,
        wait: {
          type: 'number',
          default: 3,
          describe: 'Seconds to wait for packets to containers, which prove that they cross the rules',
        },
      } as const)
      .example('docker exec dock2ban $0 doctor', 'look at everything, 3 seconds of traffic included')
      .example('$0 doctor --wait 30', 'meanwhile open a published port from another machine')
      .example('$0 doctor --json', 'for programs: { ok, findings }'),
  async ({ socket, wait, json, ...argv }) => {
    if (!(wait >= 0 && wait <= longestWait)) {
      throw new Dock2banError('usage', `--wait takes 0 to ${longestWait} seconds`);
    }
    const [{ diagnose }, { systemTools }] = await Promise.all([
      import('../../doctor/doctor.ts'),
      import('../../firewall/tool/exec.ts'),
    ]);
    // It ends the wait for packets, not the rest.
    const interrupted = new AbortController();
    process.once('SIGINT', () => interrupted.abort());
    const host = {
      ...argv,
      builtinDir: common.builtinDir,
      policy: common.environmentPolicy(),
      waitMs: wait * 1000,
      tools: systemTools,
      procNet: '/proc/net',
      signal: interrupted.signal,
    };
    return doctor(
      {
        client: new ControlClient(socket),
        diagnose: (controller) => diagnose({ ...host, controller }),
      },
      json,
      output.print,
    );
  },
);
