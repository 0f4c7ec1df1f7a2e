import type { ConfigProblem } from '../../config/jail-spec.ts';
import type { AccessStatus } from '../../control/api.ts';
import type { EngineProblem } from '../../docker/snapshot.ts';
import type { ExceededReport } from '../../filter/filter.ts';
import type { FirewallInfo, Repair } from '../../firewall/firewall.ts';
import type { Ban } from '../../jail/ban.ts';
import { messageOf } from '../../errors.ts';
import { localTime } from '../../text/local-time.ts';
import type { StoreEvent } from '../../store/database-keeper.ts';
import type { Culprit } from '../quarantine.ts';
import type { EventSink } from './event-feed.ts';

/**
 * The product's events: one method each, so that every line's `event`, fields and wording stand in one place.
 * `msg` reads as fail2ban's does.
 */
export class EventLog {
  readonly #log: EventSink;

  constructor(log: EventSink) {
    this.#log = log;
  }

  /** dock2ban stands: what was found at start. */
  ready(found: Readonly<Record<string, unknown>>, summary: string): void {
    this.#log.info({ event: 'ready', ...found }, `dock2ban is ready: ${summary}`);
  }

  stopped(how: string): void {
    this.#log.info({ event: 'stopped' }, `dock2ban stops: ${how}`);
  }

  jailStarted(
    jail: string,
    what: { containers: readonly string[]; ports: string; sources: readonly string[] },
  ): void {
    const of = what.containers.length > 0 ? what.containers.join(', ') : 'the host';
    const from = what.sources.join(', ') || 'no log yet';
    this.#log.info(
      { event: 'jail-started', jail, ...what },
      `[${jail}] Started for ${of}: reads ${from}, closes ${what.ports}`,
    );
  }

  jailChanged(
    jail: string,
    what: { containers: readonly string[]; ports: string; sources: readonly string[] },
  ): void {
    const from = what.sources.join(', ') || 'no log yet';
    this.#log.info(
      { event: 'jail-changed', jail, ...what },
      `[${jail}] Changed: ${what.containers.join(', ') || 'the host'}; reads ${from}, closes ${what.ports}`,
    );
  }

  /** @param byHand its bans are lifted then; else they run on */
  jailStopped(jail: string, bans: number, byHand: boolean): void {
    const why = byHand ? 'by hand' : 'nothing asks for it any more';
    const [its, are, run] = bans === 1 ? ['its ban', 'is', 'runs'] : [`its ${bans} bans`, 'are', 'run'];
    const then = bans > 0 ? `; ${its} ${byHand ? `${are} lifted` : `${run} on`}` : '';
    this.#log.info({ event: 'jail-stopped', jail }, `[${jail}] Stopped: ${why}${then}`);
  }

  /** The configuration was read again, and holds from now on. */
  reloaded({
    started,
    changed,
    stopped,
  }: Readonly<Record<'started' | 'changed' | 'stopped', readonly string[]>>): void {
    const parts = Object.entries({ started, changed, stopped })
      .filter(([, jails]) => jails.length > 0)
      .map(([what, jails]) => `${what} ${jails.join(', ')}`);
    this.#log.info(
      { event: 'reloaded', started, changed, stopped },
      `Configuration reloaded: ${parts.join('; ') || 'no jail differs'}`,
    );
  }

  /** The configuration was read again, and has so many faults that the old one stays. */
  reloadRefused(faults: number): void {
    this.#log.error(
      { event: 'reload-refused', faults },
      `The new configuration is not taken, the one before stays: it has ${faults} fault${faults === 1 ? '' : 's'}, see above`,
    );
  }

  /** Labels say who gets to a container. */
  accessChanged({ container, ports, allowfrom, denyfrom }: AccessStatus): void {
    const allowed = allowfrom && `open to ${allowfrom.join(', ') || 'nobody outside of this host'}`;
    const denied = denyfrom.length > 0 ? `closed to ${denyfrom.join(', ')}` : null;
    const whom = [allowed, denied].filter((text) => text !== null).join(', ');
    this.#log.info(
      { event: 'access', container, ports, allowfrom, denyfrom },
      `Access to ${container}: ${ports.join(', ')} ${whom}`,
    );
  }

  /** No label says any more who gets to a container, or it is gone. */
  accessEnded(container: string): void {
    this.#log.info(
      { event: 'access', container, ports: [], allowfrom: null, denyfrom: [] },
      `Access to ${container}: nothing is closed by label any more`,
    );
  }

  /** @param time epoch milliseconds of the failure */
  found(jail: string, ip: string, failures: number, time: number, container: string | undefined): void {
    this.#log.info(
      { event: 'found', jail, ip, failures, container },
      `[${jail}] Found ${ip} - ${localTime(new Date(time))}`,
    );
  }

  /** @param rule of the jail's configuration, as fail2ban names it */
  ignored(jail: string, ip: string, rule: 'ignoreip' | 'command'): void {
    this.#log.info({ event: 'ignored', jail, ip, reason: rule }, `[${jail}] Ignore ${ip} by ${rule}`);
  }

  /** @param reason a sentence about it, whatever the configuration says */
  neverBanned(jail: string, ip: string, reason: string): void {
    this.#log.info({ event: 'ignored', jail, ip, reason }, `[${jail}] Ignore ${ip}: ${reason}`);
  }

  expired(jail: string, ip: string): void {
    this.#log.info(
      { event: 'ignored', jail, ip, reason: 'expired bantime' },
      `[${jail}] Ignore ${ip}, expired bantime`,
    );
  }

  /** The log shows a gateway where the client should stand: banning it would shut everyone out. */
  addressHidden(jail: string, ip: string, reason: string, container: string | undefined): void {
    this.#log.warn(
      { event: 'address-hidden', jail, ip, reason, container },
      `[${jail}] ${ip} is not banned: ${reason}, so nobody can be banned by this log line. ` +
        'Usual causes: an IPv6 client of an IPv4-only network (give the network IPv6), userland-proxy, rootless or Desktop Docker, ' +
        'Swarm ingress (publish with mode: host), or a proxy in front (let it pass the address on)',
    );
  }

  /**
   * @param failures undefined: banned by hand
   * @param container that logged the last failure, where that is known
   */
  ban(ban: Ban, failures: number | undefined, renewed: boolean, container?: string): void {
    const { jail, ip } = ban;
    this.#log.info(
      { event: 'ban', jail, ip, container, failures, ...lifetime(ban), ...(renewed && { renewed }) },
      `[${jail}] ${renewed ? 'Prolong' : 'Ban'} ${ip}`,
    );
  }

  /** A ban of an address that must not be banned at present. It is remembered. */
  banSuspended({ jail, ip }: { jail: string; ip: string }, reason: string): void {
    this.#log.warn(
      { event: 'ban-suspended', jail, ip, reason },
      `[${jail}] Ban of ${ip} is suspended as long as that holds: ${reason}`,
    );
  }

  banResumed(ban: Ban): void {
    const { jail, ip } = ban;
    this.#log.info(
      { event: 'ban-resumed', jail, ip, ...lifetime(ban) },
      `[${jail}] Ban of ${ip} is in force again`,
    );
  }

  unban({ jail, ip }: { jail: string; ip: string }, reason: 'expired' | 'by hand'): void {
    this.#log.info({ event: 'unban', jail, ip, reason }, `[${jail}] Unban ${ip}`);
  }

  /** There were more bans than a jail holds. @param left as many as it has now */
  bansShed(jail: string, count: number, left: number): void {
    this.#log.warn(
      { event: 'bans-shed', jail, count, left },
      `[${jail}] Lifted the ${count} bans that would have ended soonest, of ${count + left}: a jail holds no more ` +
        '(ban whole networks by hand, or shorten bantime)',
    );
  }

  /** A ban of an earlier run, found in the kernel and taken over. */
  restore(ban: Ban): void {
    const { jail, ip } = ban;
    this.#log.info({ event: 'restore', jail, ip, ...lifetime(ban) }, `[${jail}] Restore Ban ${ip}`);
  }

  /** @param step milliseconds by which the clock was set ahead; negative: back */
  clockSet(step: number, bans: number): void {
    const seconds = Math.abs(Math.round(step / 1000));
    this.#log.warn(
      { event: 'clock-set', step: Math.round(step / 1000), bans },
      `The clock was set ${seconds} s ${step > 0 ? 'ahead' : 'back'}: what is left of ${bans} bans stays as it was`,
    );
  }

  firewallRepaired({ what, family, detail }: Repair): void {
    this.#log.warn(
      { event: 'firewall-repaired', what, family },
      `Firewall repaired: ${detail}${family === undefined ? '' : ` (IPv${family})`}`,
    );
  }

  /** Another backend, or another variant of iptables, enforces from now on. */
  firewallChanged(before: FirewallInfo, now: FirewallInfo): void {
    const { backend, variant, remarks } = now;
    this.#log.warn(
      { event: 'firewall-changed', from: enforcedBy(before), to: enforcedBy(now), backend, variant },
      `Firewall changed from ${enforcedBy(before)} to ${enforcedBy(now)}: ${remarks.join('; ')}`,
    );
  }

  /** Something can't be enforced. `consequence` says what that means. */
  firewallError(consequence: string, error: string, fix: string | undefined): void {
    this.#log.error(
      { event: 'firewall-error', error, fix },
      `Not enforced: ${consequence}: ${error}${hint(fix)}`,
    );
  }

  /**
   * A line was too costly for a jail's filter.
   * @param text of the expression
   * @param others lines of the jail since the last event
   */
  filterExceeded(
    jail: string,
    containers: readonly string[],
    { filter, kind, expression, length }: ExceededReport,
    text: string,
    others: number,
  ): void {
    const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
    const of = containers.length > 0 ? ` (containers: ${containers.join(', ')})` : '';
    this.#log.warn(
      { event: 'filter-exceeded', jail, containers, filter, expression, text: shown, length, kind, others },
      `[${jail}] A line of ${length} characters ${exceededTexts[kind]}: ${expression} of filter ${filter}${of}: ${shown}` +
        (others > 0 ? `; so were ${others} lines since the last such event` : '') +
        ' (make the expression simpler: anchor it, avoid repeats within repeats, and use fewer expressions)',
    );
  }

  /** What the run before was ended for by its watchdog. @param at epoch milliseconds */
  stalledBefore({ jail, container, where, key }: Partial<Culprit>, at: number): void {
    const fields = { jail, container, where, at: new Date(at).toISOString() };
    const ended = `dock2ban was ended at ${localTime(new Date(at))}, since nothing went on for 10 seconds`;
    const of = jail === undefined ? '' : `[${jail}] `;
    const fix = 'anchor it, avoid repeats within repeats, use fewer expressions';
    if (key !== undefined) {
      this.#log.warn(
        { event: 'quarantined', ...fields },
        `${of}${ended} in the expressions of container ${container} (${where}): they are refused until they change (make them simpler: ${fix})`,
      );
    } else if (where !== undefined) {
      this.#log.warn(
        { event: 'stalled', ...fields },
        `${of}${ended} in the expressions of ${where}: they are used as before (make them simpler: ${fix})`,
      );
    } else {
      this.#log.error({ event: 'stalled', ...fields }, `${ended} in its own work (please report it)`);
    }
  }

  /** A note of the watchdog's can't be used. */
  quarantineUnusable(problem: string): void {
    this.#log.warn(
      { event: 'quarantine-unusable', problem },
      `What the watchdog has noted can't be used and is passed over: ${problem}`,
    );
  }

  /** A fault of our own, in what concerns one thing alone: the rest goes on. */
  fault(error: unknown): void {
    this.#log.error({ event: 'fault', err: error }, `Internal error: ${messageOf(error)} (please report it)`);
  }

  /** Failures of a jail count without its `ignorecommand` being asked. */
  ignoreCommandOverflow(jail: string): void {
    this.#log.warn(
      { event: 'ignorecommand-overflow', jail },
      `[${jail}] Failures count without asking ignorecommand: too many wait for it (make it faster, or set ignorecache)`,
    );
  }

  sourceLost(source: string, error: string, fix: string | undefined): void {
    this.#log.warn(
      { event: 'source-lost', source, error, fix },
      `Cannot read ${source}: ${error}${hint(fix)}`,
    );
  }

  tooManyFiles(source: string, files: number, entries: number): void {
    const fix = 'name fewer files, or fewer folders';
    this.#log.warn(
      { event: 'source-cut', source, files, fix },
      `${source} matches too many files: up to ${files} are read, of the first ${entries} that are there${hint(fix)}`,
    );
  }

  sourceResumed(source: string): void {
    this.#log.info({ event: 'source-resumed', source }, `Reading ${source}`);
  }

  /** Docker's own copy of the containers' logs is read instead, until the source resumes. */
  sourceFallback(source: string, containers: readonly string[]): void {
    this.#log.warn(
      { event: 'source-fallback', source, containers },
      `As ${source} can't be read, Docker's own copy of the log is read of ${containers.join(', ')}`,
    );
  }

  /** A container's lines may be pieces from now on, where they came from until now. */
  readFromCopy(container: string): void {
    this.#log.warn(
      { event: 'source-fallback', source: 'syslog', containers: [container] },
      `A line of ${container} is so long that syslog may cut such lines in pieces: from now on its lines are read from Docker's log API, until it is re-created`,
    );
  }

  /** As `readFromCopy`, of a container whose log Docker keeps no copy of. */
  linesInPieces(container: string): void {
    const fix =
      'let Docker keep a copy of its log (Docker 20.10 or later, without the log option cache-disabled), or give it the log driver json-file, local or journald';
    this.#log.warn(
      { event: 'lines-in-pieces', container, fix },
      `A line of ${container} is so long that syslog may cut such lines in pieces: it doesn't count, nor does what may be the rest of it; ${fix}`,
    );
  }

  /**
   * Lines were removed before they could be read, or may have been.
   * @param total since the start
   * @param span when they were logged, as far as that is known, epoch milliseconds
   */
  gap(source: string, reason: GapReason, total: number, { from, to }: GapSpan = {}): void {
    const [since, until] = [from, to].map((time) =>
      time === undefined ? undefined : new Date(time).toISOString(),
    );
    const when = `${since === undefined ? '' : ` from ${since}`}${until === undefined ? '' : ` until ${until}`}`;
    this.#log.warn(
      { event: 'gap', source, reason, total, from: since, until },
      `Lines of ${source}${when} may be missing: ${gapTexts[reason]}`,
    );
  }

  /** Somebody sends log lines who isn't allowed to. */
  senderRefused(source: string, sender: string): void {
    this.#log.warn(
      { event: 'sender-refused', source, sender },
      `${source} takes no lines from ${sender} (allow it: --syslog-allow ${sender})`,
    );
  }

  /** The syslog receiver closed a connection that one of its limits forbids. */
  connectionClosed(source: string, sender = 'this host', reason: string): void {
    this.#log.warn(
      { event: 'connection-closed', source, sender, reason },
      `${source} closed a connection from ${sender}: ${reason} ` +
        '(see what connects there; it is told once in ten minutes)',
    );
  }

  /** @param count lines lost since the last time  @param total since the start */
  linesDropped(source: string, count: number, total: number): void {
    this.#log.warn(
      { event: 'lines-dropped', source, count, total },
      `${count} messages to ${source} were lost: they came faster than they could be read ` +
        '(let the container log over tcp:// or unix://, which wait)',
    );
  }

  /** @param total since the start */
  linesCut(source: string, total: number): void {
    this.#log.warn(
      { event: 'lines-cut', source, total },
      `${total} lines of ${source} were longer than 256 KiB: only their beginning and their end are looked at`,
    );
  }

  /** What was stored of how far a log was read is of no use. */
  positionInvalid(source: string, position: string): void {
    this.#log.warn(
      { event: 'position-invalid', source, position: position.slice(0, 200) },
      `It can't be told how far ${source} was read before: it is read again as far as findtime reaches back`,
    );
  }

  /** Something about the memory in the state directory. */
  store(event: StoreEvent): void {
    switch (event.kind) {
      case 'failed':
        this.#log.error(
          { event: 'store-failed', error: event.error.message, fix: event.error.fix },
          `Nothing can be remembered for now: ${event.error.message}${hint(event.error.fix)}. Bans go on; trying again`,
        );
        break;
      case 'set-aside':
        this.#log.error(
          { event: 'store-set-aside', error: event.error.message, movedTo: event.movedTo },
          `${event.error.message}: it was moved to ${event.movedTo}, and a new one begun`,
        );
        break;
      case 'row-refused':
        this.#log.error(
          { event: 'store-row-refused', row: event.row, error: event.error.message },
          `Not remembered: ${event.row}: ${event.error.message}`,
        );
        break;
      case 'rows-skipped':
        this.#log.error(
          { event: 'store-rows-skipped', path: event.path, count: event.count, example: event.example },
          `Skipped ${event.count} unusable row${event.count === 1 ? '' : 's'} of ${event.path}, such as ${event.example} ` +
            '(all others are in force; no other program may write to the state directory)',
        );
        break;
      case 'resumed':
        this.#log.info({ event: 'store-resumed' }, 'Bans are remembered again');
        break;
    }
  }

  dockerLost(error: string, fix: string | undefined): void {
    this.#log.warn(
      { event: 'docker-lost', error, fix },
      `Cannot reach Docker: ${error}${hint(fix)}. What is banned stays banned; trying again`,
    );
  }

  dockerResumed(version: string): void {
    this.#log.info({ event: 'docker-resumed', version }, `Connected to Docker ${version}`);
  }

  /** Something of Docker's can't be known: what was known of it stays in force. */
  dockerProblem({ where, message, fix, container }: EngineProblem): void {
    this.#log.warn({ event: 'docker-problem', where, fix, container }, `${where}: ${message}${hint(fix)}`);
  }

  configProblem(problem: ConfigProblem): void {
    const { severity, where, message, fix, jail, container } = problem;
    this.#log[severity === 'info' ? 'info' : 'warn'](
      { event: severity === 'warn' ? 'config-error' : 'config-notice', where, fix, jail, container },
      `${where}: ${message}${hint(fix)}`,
    );
  }
}

const exceededTexts: Readonly<Record<ExceededReport['kind'], string>> = {
  search: 'took too long for one expression, for which it counts as not matched',
  line: 'took too long, and counts for nothing',
  'passed-over': 'was passed over, as lines like it take too long',
};

/** How lines came to be missing. */
export type GapReason = 'truncated' | 'gone' | 'rotated' | 'vacuumed';

/** When lines were logged. */
export interface GapSpan {
  readonly from?: number | undefined;
  readonly to?: number;
}

const gapTexts: Readonly<Record<GapReason, string>> = {
  truncated:
    'the file was cut short, and there is no copy of what was in it last (let logrotate rename: create instead of copytruncate)',
  gone: 'the file that was read before has been removed, packed or rewritten (let logrotate keep the last one unpacked: delaycompress)',
  rotated:
    'what Docker had of it where reading ended is rotated away (raise the log options max-size and max-file)',
  vacuumed:
    'the entry where reading ended is gone from the journal (raise SystemMaxUse and MaxRetentionSec in journald.conf)',
};

function hint(fix: string | undefined): string {
  return fix === undefined ? '' : ` (${fix})`;
}

function lifetime({ since, until }: Ban): { bantime: number; until: string | null } {
  return until === undefined
    ? { bantime: -1, until: null }
    : { bantime: Math.round((until - since) / 1000), until: new Date(until).toISOString() };
}

/** `docker-user with iptables-nft` */
function enforcedBy({ backend, variant }: FirewallInfo): string {
  return variant === undefined ? backend : `${backend} with iptables-${variant}`;
}
