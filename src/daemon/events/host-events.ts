import type { ConfigProblem } from '../../config/jail-spec.ts';
import type { AccessStatus } from '../../control/api.ts';
import type { EngineProblem } from '../../docker/snapshot.ts';
import { messageOf } from '../../errors.ts';
import type { FirewallInfo, Repair } from '../../firewall/firewall.ts';
import type { StoreEvent } from '../../store/database-keeper.ts';
import { localTime } from '../../text/local-time.ts';
import type { Culprit } from '../quarantine.ts';
import { enforcedBy } from './describe.ts';
import { type Entry, error, hint, info, warn } from './entry.ts';

type ReloadedJails = Readonly<Record<'started' | 'changed' | 'stopped', readonly string[]>>;

/** Events of dock2ban as a whole, and of what it works with: Docker, the firewall, the store, the configuration. */
export const hostEvents = {
  /** dock2ban is at work: what was found at the start. */
  ready: (found: Readonly<Record<string, unknown>>, summary: string) =>
    info('ready', found, `dock2ban is ready: ${summary}`),

  /** @param flush whether all rules were removed, or the bans stay */
  stopped: (flush: boolean) =>
    info(
      'stopped',
      {},
      `dock2ban stopped: ${flush ? 'all its firewall rules are removed' : 'bans stay in the kernel until they expire'}`,
    ),

  /** The configuration was read again, and is in force from now on. */
  reloaded: ({ started, changed, stopped }: ReloadedJails) => {
    const parts = Object.entries({ started, changed, stopped })
      .filter(([, jails]) => jails.length > 0)
      .map(([what, jails]) => `${what} ${jails.join(', ')}`);
    return info(
      'reloaded',
      { started, changed, stopped },
      `Configuration reloaded: ${parts.join('; ') || 'no jail differs'}`,
    );
  },

  /** The configuration was read again, and has so many errors that the old one stays. */
  reloadRefused: (faults: number) =>
    error(
      'reload-refused',
      { faults },
      `New configuration rejected: ${faults} error${faults === 1 ? '' : 's'}, see above; keeping the previous one`,
    ),

  configProblem: ({ severity, where, message, fix, jail, container }: ConfigProblem) => {
    const fields = { where, fix, jail, container };
    const msg = `${where}: ${message}${hint(fix)}`;
    if (severity === 'info') return info('config-notice', fields, msg);
    return warn(severity === 'warn' ? 'config-error' : 'config-notice', fields, msg);
  },

  /** Labels say who gets to a container. */
  accessChanged: ({ container, ports, allowfrom, denyfrom }: AccessStatus) => {
    const allowed = allowfrom && `open to ${allowfrom.join(', ') || 'nobody outside this host'}`;
    const denied = denyfrom.length > 0 ? `closed to ${denyfrom.join(', ')}` : null;
    const whom = [allowed, denied].filter((text) => text !== null).join(', ');
    return info(
      'access',
      { container, ports, allowfrom, denyfrom },
      `Access to ${container}: ${ports.join(', ')} ${whom}`,
    );
  },

  /** No label says any more who gets to a container, or it is gone. */
  accessEnded: (container: string) =>
    info(
      'access',
      { container, ports: [], allowfrom: null, denyfrom: [] },
      `Access to ${container}: no longer restricted by labels`,
    ),

  /** @param step milliseconds by which the clock was set ahead; negative: back */
  clockSet: (step: number, bans: number) => {
    const seconds = Math.round(step / 1000);
    return warn(
      'clock-set',
      { step: seconds, bans },
      `The clock was set ${Math.abs(seconds)} s ${step > 0 ? 'ahead' : 'back'}: the time left of ${bans} bans is unchanged`,
    );
  },

  firewallRepaired: ({ what, family, detail }: Repair) =>
    warn(
      'firewall-repaired',
      { what, family },
      `Firewall repaired: ${detail}${family === undefined ? '' : ` (IPv${family})`}`,
    ),

  /** Another backend, or another variant of iptables, enforces from now on. */
  firewallChanged: (before: FirewallInfo, now: FirewallInfo) => {
    const [from, to] = [enforcedBy(before), enforcedBy(now)];
    const { backend, variant, remarks } = now;
    return warn(
      'firewall-changed',
      { from, to, backend, variant },
      `Firewall changed from ${from} to ${to}: ${remarks.join('; ')}`,
    );
  },

  /** Something can't be enforced. `consequence` says what that means. */
  firewallError: (consequence: string, message: string, fix: string | undefined) =>
    error('firewall-error', { error: message, fix }, `Not enforced: ${consequence}: ${message}${hint(fix)}`),

  dockerLost: (message: string, fix: string | undefined) =>
    warn(
      'docker-lost',
      { error: message, fix },
      `Cannot reach Docker: ${message}${hint(fix)}. Existing bans stay active; retrying`,
    ),

  dockerResumed: (version: string) => info('docker-resumed', { version }, `Connected to Docker ${version}`),

  /** Something of Docker's can't be known: what was known of it stays in force. */
  dockerProblem: ({ where, message, fix, container }: EngineProblem) =>
    warn('docker-problem', { where, fix, container }, `${where}: ${message}${hint(fix)}`),

  /** Something about the database in the state directory. */
  store: (event: StoreEvent): Entry => {
    switch (event.kind) {
      case 'failed': {
        const { message, fix } = event.error;
        return error(
          'store-failed',
          { error: message, fix },
          `Bans cannot be saved: ${message}${hint(fix)}. Existing bans stay active; retrying`,
        );
      }
      case 'set-aside': {
        const { error: cause, movedTo } = event;
        return error(
          'store-set-aside',
          { error: cause.message, movedTo },
          `${cause.message}: moved to ${movedTo}; starting a new one`,
        );
      }
      case 'row-refused':
        return error(
          'store-row-refused',
          { row: event.row, error: event.error.message },
          `Not saved: ${event.row}: ${event.error.message}`,
        );
      case 'rows-skipped': {
        const { path, count, example } = event;
        return error(
          'store-rows-skipped',
          { path, count, example },
          `Skipped ${count} unusable row${count === 1 ? '' : 's'} of ${path}, such as ${example} ` +
            '(all others are in force; no other program may write to the state directory)',
        );
      }
      case 'resumed':
        return info('store-resumed', {}, 'Bans are saved again');
    }
  },

  /** What the run before was ended for by its watchdog. @param at epoch milliseconds */
  stalledBefore: ({ jail, container, where, key }: Partial<Culprit>, at: number): Entry => {
    const fields = { jail, container, where, at: new Date(at).toISOString() };
    const ended = `${jail === undefined ? '' : `[${jail}] `}The watchdog ended dock2ban at ${localTime(new Date(at))}: it was stuck for 10 seconds in`;
    const fix = 'make them simpler: anchor them, avoid repeats within repeats, use fewer expressions';
    if (where === undefined) return error('stalled', fields, `${ended} its own work (please report it)`);
    if (key === undefined)
      return warn(
        'stalled',
        fields,
        `${ended} the expressions of ${where}: they are used as before${hint(fix)}`,
      );
    return warn(
      'quarantined',
      fields,
      `${ended} the expressions of container ${container} (${where}): they are refused until they change${hint(fix)}`,
    );
  },

  /** A note of the watchdog's can't be used. */
  quarantineUnusable: (problem: string) =>
    warn('quarantine-unusable', { problem }, `A note of the watchdog is invalid, and ignored: ${problem}`),

  /** A fault of our own, in what concerns one thing alone: the rest goes on. */
  fault: (cause: unknown) =>
    error('fault', { err: cause }, `Internal error: ${messageOf(cause)} (please report it)`),
};
