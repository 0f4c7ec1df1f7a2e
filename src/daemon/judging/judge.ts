import { countsBans } from '../../config/jails/jail-sources.ts';
import type { Failure } from '../../filter/failure.ts';
import type { Jail } from '../../jail/jail.ts';
import { canonicalAddress, canonicalPrefix, parsePrefix } from '../../net/address.ts';
import type { Store } from '../../store/store.ts';
import type { Bans, WantedBan } from '../enforcing/bans.ts';
import type { Claim } from '../enforcing/corroboration.ts';
import type { EventLog } from '../events/event-log.ts';
import { IgnoreCommand, runProgram } from './ignore-command.ts';
import type { Recidive } from './recidive.ts';

export interface JudgeParts {
  readonly bans: Bans;
  readonly recidive: Recidive;
  readonly store: Pick<Store, 'noteCounted'>;
  readonly events: EventLog;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Where failures were found. */
interface Log {
  /** The container that logged them, where that is known. */
  readonly container: string | undefined;
  /** False: they were logged before the start. */
  readonly live: boolean;
}

/** Takes failures to their jail, and brings the bans that follow into force. */
export class Judge {
  readonly #parts: JudgeParts;
  readonly #ignoreCommand: IgnoreCommand;
  /** Hidden and odd ids that were reported, by jail. */
  readonly #reported = new Map<string, Set<string>>();

  constructor(parts: JudgeParts) {
    const { events, clock } = parts;
    this.#parts = parts;
    this.#ignoreCommand = new IgnoreCommand(clock, runProgram, (jail) => events.ignoreCommandOverflow(jail));
  }

  /**
   * Judges failures that were found in a log.
   * @param container the container that logged them, where that is known
   * @param live false for what was logged before the start
   */
  take(jail: Jail, failures: readonly Failure[], container: string | undefined, live: boolean): void {
    this.count(jail, this.#parts.recidive.unfed(jail, failures), { container, live });
  }

  /** Judges failures; those of a jail with an `ignorecommand` after it has been asked. @param log undefined: they are of none, and believed */
  count(jail: Jail, failures: readonly Failure[], log?: Log): void {
    if (jail.spec.ignoreCommand) this.#unattended(this.#countUnlessIgnored(jail, failures, log));
    else this.#count(jail, failures, log);
  }

  async #countUnlessIgnored(jail: Jail, failures: readonly Failure[], log: Log | undefined): Promise<void> {
    for (const failure of failures) {
      if (await this.#ignoreCommand.ignores(jail.spec, failure)) {
        this.#parts.events.ignored(jail.name, failure.id, 'command');
      } else this.#count(jail, [failure], log);
    }
  }

  /** Doesn't wait for the kernel: reading goes on meanwhile. */
  #count(jail: Jail, failures: readonly Failure[], log: Log | undefined): void {
    const { bans, store } = this.#parts;
    const wanted = failures.flatMap((failure) => this.#judge(jail, failure, log) ?? []);
    store.noteCounted();
    if (wanted.length > 0) this.#unattended(bans.bringIntoForce(wanted, 'log'));
  }

  /** Runs a task that nobody waits for; its errors are logged. */
  #unattended(task: Promise<unknown>): void {
    task.catch((error: unknown) => this.#parts.events.fault(error));
  }

  /** Counts a failure, and logs the outcome. @returns the ban that follows */
  #judge(jail: Jail, failure: Failure, log: Log | undefined): WantedBan | undefined {
    const container = log?.container;
    const { bans, events, clock } = this.#parts;
    const { name } = jail;
    const { id } = failure;
    if (canonicalAddress(id) === undefined && !(countsBans(jail.spec) && isBannedPrefix(id))) {
      this.#once(name, id, () => events.neverBanned(name, id, 'it is no address that a firewall could drop'));
      return undefined;
    }
    const never = bans.neverBan(id);
    if (never) {
      // The log shows a gateway instead of the client: logged once, with the fix.
      if (never.kind === 'gateway') {
        this.#once(name, id, () => events.addressHidden(name, id, never.text, container));
      } else events.neverBanned(name, id, never.text);
      return undefined;
    }
    const verdict = jail.observe(failure, clock(), (prefix) => bans.neverBan(prefix) !== undefined);
    if (verdict.kind === 'ignored') events.ignored(name, id, 'ignoreip');
    else if (verdict.kind === 'expired') events.expired(name, id);
    else events.found(name, id, verdict.failures, failure.time, container);
    if (verdict.kind !== 'ban') return undefined;
    const claim = log && claimOf(jail, failure, log.live ? clock() : failure.time);
    return { jail: name, ip: verdict.ban.ip, container, ...verdict, ...(claim && { claim }) };
  }

  #once(jail: string, id: string, report: () => void): void {
    const ids = this.#reported.get(jail) ?? new Set();
    // Attackers choose ids, so the memory of what was reported is bounded.
    if (ids.has(id) || ids.size >= mostReported) return;
    this.#reported.set(jail, ids.add(id));
    report();
  }
}

/** What is to be corroborated; undefined: the jail's bans aren't. @param logged epoch milliseconds */
function claimOf({ spec }: Jail, { id, lines }: Failure, logged: number): Claim | undefined {
  return 'ports' in spec.corroboration ? { address: id, logged, line: lines.at(-1) ?? '' } : undefined;
}

const mostReported = 100;

/** Prefix lengths: wider ones, found in a log, belong to more than one party. */
const widest = { 4: 16, 6: 32 } as const;

function isBannedPrefix(id: string): boolean {
  const prefix = parsePrefix(id);
  return prefix !== undefined && prefix.bits >= widest[prefix.family] && canonicalPrefix(id) === id;
}
