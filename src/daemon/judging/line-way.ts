import type { Failure } from '../../filter/failure.ts';
import type { Ban } from '../../jail/ban.ts';
import type { Jail } from '../../jail/jail.ts';
import type { LogLine } from '../../sources/log-line.ts';
import type { Decision, Detector } from './judge.ts';
import type { Enforcer } from '../enforcing/enforcer.ts';
import type { EventLog } from '../events/event-log.ts';
import { IgnoreCommand, runProgram } from './ignore-command.ts';
import type { Memory } from '../enforcing/carry-over.ts';
import type { ActiveJail } from '../jails/jail-registry.ts';

/** Where bans go on to, as failures of jails that count them. */
export interface BanFeed {
  /** A ban has come into force that was none before. */
  banned(ban: Ban): void;
  /** Of the failures in a log that a jail reads, those that don't tell of a ban that it was fed with. */
  unfed(jail: Jail, failures: readonly Failure[]): readonly Failure[];
}

/** The way of one line, from a jail's source to the kernel. */
export class Matching {
  readonly #detector: Detector;
  readonly #enforcer: Enforcer;
  readonly #memory: Memory;
  readonly #events: EventLog;
  readonly #clock: () => number;
  readonly #ignoreCommand: IgnoreCommand;
  readonly #bans: BanFeed | undefined;

  constructor(
    detector: Detector,
    enforcer: Enforcer,
    memory: Memory,
    events: EventLog,
    clock: () => number,
    bans?: BanFeed,
  ) {
    this.#bans = bans;
    this.#clock = clock;
    this.#ignoreCommand = new IgnoreCommand(clock, runProgram, (jail) => events.ignoreCommandOverflow(jail));
    this.#detector = detector;
    this.#enforcer = enforcer;
    this.#memory = memory;
    this.#events = events;
  }

  /**
   * Matches a line and sets off the bans that follow from it.
   * @param container the container that logged it, where that is known
   * @param live false for what was logged before the start
   * @returns whether there was a failure in it
   */
  match(jail: ActiveJail, line: LogLine, container: string | undefined, live: boolean): boolean {
    return mayMatter(jail, line) && this.#match(jail, line, container, live);
  }

  /**
   * As `match`. A filter may be written for syslog's files, as fail2ban reads them, or for what the container itself prints: the line
   * is matched with its header first, and if that finds nothing, without.
   * @param messageStart where in the line's text the header ends; 0: it has none
   */
  matchWithHeader(
    jail: ActiveJail,
    line: LogLine,
    messageStart: number,
    container: string | undefined,
    live: boolean,
  ): boolean {
    if (!mayMatter(jail, line)) return false;
    if (this.#match(jail, line, container, live)) return true;
    if (messageStart === 0) return false;
    const { time, stream } = line;
    const cut = line.cut === undefined ? undefined : Math.max(0, line.cut - messageStart);
    const message = { text: line.text.slice(messageStart), time, dateRemoved: false, stream, cut };
    return this.#match(jail, message, container, live);
  }

  #match({ jail, filter }: ActiveJail, line: LogLine, container: string | undefined, live: boolean): boolean {
    const failures = filter.process(line, this.#clock(), live);
    if (failures.length > 0) this.take(jail, failures, container);
    return failures.length > 0;
  }

  /** Counts the failures of a log, and sets off what follows. */
  take(jail: Jail, failures: readonly Failure[], container: string | undefined): void {
    this.count(jail, this.#bans?.unfed(jail, failures) ?? failures, container);
  }

  /** Counts failures, and sets off what follows; those of a jail with an `ignorecommand` after it has been asked. */
  count(jail: Jail, failures: readonly Failure[], container: string | undefined): void {
    if (jail.spec.ignoreCommand) this.#unattended(this.#takeUnlessIgnored(jail, failures, container));
    else this.#judge(jail, failures, container);
  }

  async #takeUnlessIgnored(
    jail: Jail,
    failures: readonly Failure[],
    container: string | undefined,
  ): Promise<void> {
    for (const failure of failures) {
      if (await this.#ignoreCommand.ignores(jail.spec, failure)) {
        this.#events.ignored(jail.name, failure.id, 'command');
      } else this.#judge(jail, [failure], container);
    }
  }

  #judge(jail: Jail, failures: readonly Failure[], container: string | undefined): void {
    for (const decision of this.#detector.judge(jail, failures, container))
      this.#unattended(this.#carryOut(decision));
    this.#memory.noteCounted();
  }

  /** What nobody waits for: a fault in it concerns one failure, and is told. */
  #unattended(task: Promise<void>): void {
    task.catch((error: unknown) => this.#events.fault(error));
  }

  /** The line isn't held up: while the kernel works, reading goes on. */
  async #carryOut(decision: Decision): Promise<void> {
    const { ban, failures, renewed, container } = decision;
    this.#memory.keep(decision);
    const refused = await this.#enforcer.ban([ban]);
    if (refused.length > 0) return;
    this.#events.ban(ban, failures, renewed, container);
    if (!renewed) this.#bans?.banned(ban);
  }
}

/** False: the line is none of those that the filter is for, or it would find nothing in it, nor in a part of it. */
function mayMatter({ jail, screen }: ActiveJail, { time, text, stream }: LogLine): boolean {
  const wanted = jail.spec.filter.stream;
  if (wanted !== undefined && stream !== undefined && stream !== wanted) return false;
  return time === undefined || screen.mayMatter(text);
}
