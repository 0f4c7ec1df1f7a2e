import type { ControlClient } from '../control/client.ts';
import type { ControllerView } from '../doctor/facts/controller-view.ts';
import { isInTheWay, type Finding, type Severity } from '../doctor/finding.ts';
import { Dock2banError } from '../errors.ts';
import { oneLine } from '../text/plain-text.ts';
import { exitCode } from './exit-code.ts';

export interface DoctorContext {
  readonly client: Pick<ControlClient, 'status'>;
  /** @returns the worst first */
  readonly diagnose: (controller: ControllerView) => Promise<readonly Finding[]>;
}

/** `dock2ban doctor`: what stands in the way of bans on this host, the worst first. The answer is no if anything does. */
export async function doctor(
  { client, diagnose }: DoctorContext,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const findings = await diagnose(await askController(client));
  const isFine = !findings.some(isInTheWay);
  print(json ? `${JSON.stringify({ ok: isFine, findings }, null, 2)}\n` : doctorText(findings));
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
  const count = (severity: Severity): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings, untested, fine] = [
    count('error'),
    count('warning'),
    count('untested'),
    count('ok'),
  ];
  const verdict =
    errors > 0
      ? 'bans do not hold here'
      : warnings > 0
        ? 'some bans may not hold here'
        : untested > 0
          ? 'nothing stands in the way, but not everything could be tested'
          : 'nothing stands in the way';
  const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  return `${verdict}: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}, ${untested} untested, ${fine} ok`;
}
