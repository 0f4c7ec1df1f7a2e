import { loadConfigTree } from '../../config/conf/load-config-tree.ts';
import type { LabelPolicy } from '../../config/labels/label-policy.ts';
import type { ContainerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';
import { Dock2banError } from '../../errors.ts';
import { exitCode } from '../exit-code.ts';
import { checkFilters } from './filters.ts';
import { unique, type CheckFinding } from './finding.ts';
import { checkJails } from './jails.ts';
import { checkSettings } from './settings.ts';
import { oneLine } from '../../text/plain-text.ts';

export interface CheckContext {
  readonly configDir: string;
  /** `filters/` as shipped. */
  readonly builtinDir: string;
  /** What labels may do; default: as without any option. */
  readonly policy?: LabelPolicy;
  /** Throws a Dock2banError if Docker can't be asked. */
  readonly docker: () => Promise<DockerView>;
}

/** What is known of Docker. */
export interface DockerView {
  /** The running containers that carry a `fail2ban.` label. */
  readonly containers: readonly ContainerSnapshot[];
  /** All networks. */
  readonly networks: readonly NetworkSnapshot[];
}

/** What a check found. */
export interface CheckReport {
  readonly jails: number;
  readonly filters: number;
  /** Null: Docker couldn't be asked. */
  readonly containers: number | null;
  readonly findings: readonly CheckFinding[];
}

/** Validates the whole configuration tree and the labels of all running containers; changes nothing. */
export async function runCheck(context: CheckContext): Promise<CheckReport> {
  const { configDir, builtinDir } = context;
  const tree = await loadConfigTree({ builtinDir, configDir });
  const { known, findings } = await askDocker(context);
  const { containers = [], networks = [] } = known ?? {};
  const jails = await checkJails(tree, containers, networks, context.policy);
  const filters = checkFilters(tree);
  return {
    jails: jails.count,
    filters: filters.count,
    containers: known?.containers.length ?? null,
    findings: unique([...jails.findings, ...checkSettings(tree), ...filters.findings, ...findings]),
  };
}

/** `dock2ban check`: a line for each finding, errors first. The answer is no if there are errors. */
export async function check(
  context: CheckContext,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const report = await runCheck(context);
  const errors = report.findings.filter(({ severity }) => severity === 'error');
  print(
    json
      ? `${JSON.stringify({ ok: errors.length === 0, ...report }, null, 2)}\n`
      : reportText(report, errors),
  );
  return errors.length === 0 ? exitCode.done : exitCode.no;
}

function reportText(
  { findings, jails, filters, containers }: CheckReport,
  errors: readonly CheckFinding[],
): string {
  const notices = findings.filter(({ severity }) => severity === 'notice');
  const labels = containers === null ? 'no container' : counted(containers, 'container');
  const checked = `${counted(jails, 'jail')}, ${counted(filters, 'filter')}, ${labels} checked`;
  const result = `${counted(errors.length, 'error')}, ${counted(notices.length, 'notice')}`;
  return [...[...errors, ...notices].map(findingLine), `${checked}: ${result}`, ''].join('\n');
}

/** One line, whatever the message quotes. */
export function findingLine({ severity, where, message, fix }: CheckFinding): string {
  return oneLine(`${severity}: ${where}: ${message} (${fix})`.replaceAll(/\s*[\r\n]+\s*/g, ' '));
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

async function askDocker({
  docker,
}: CheckContext): Promise<{ known?: DockerView; findings: CheckFinding[] }> {
  try {
    return { known: await docker(), findings: [] };
  } catch (error) {
    if (!(error instanceof Dock2banError)) throw error;
    const message = `labels of containers are not checked: ${error.message}`;
    const fix = error.fix ?? 'mount /var/run/docker.sock, or set --docker-host';
    return { findings: [{ severity: 'notice', where: 'docker', message, fix }] };
  }
}
