import type { Failure } from '../../filter/failure.ts';
import type { LogLine } from '../../sources/log-line.ts';
import type { ActiveJail } from '../../jail/jail-registry.ts';
import type { Judge } from './judge.ts';

/** Matches log lines with the jails' filters, and takes the failures in them to the judge. */
export class Matching {
  readonly #judge: Judge;
  /** Epoch milliseconds. */
  readonly #clock: () => number;

  constructor(judge: Judge, clock: () => number) {
    this.#judge = judge;
    this.#clock = clock;
  }

  /**
   * @param container the container that logged them, where that is known
   * @param live false for what was logged before the start
   * @returns in how many of the lines there was a failure
   */
  match(jail: ActiveJail, lines: readonly LogLine[], container: string | undefined, live: boolean): number {
    const now = this.#clock();
    const failures: Failure[] = [];
    let matched = 0;
    for (const line of lines) {
      const found = mayMatter(jail, line) ? jail.filter.process(line, now, live) : [];
      if (found.length === 0) continue;
      matched += 1;
      failures.push(...found);
    }
    if (matched > 0) this.#judge.take(jail.jail, failures, container, live);
    return matched;
  }

  /**
   * As `match`, of one line. A filter may be written for syslog's files, as fail2ban reads them, or for what the container itself prints:
   * the line is matched with its header first, and if that finds nothing, without.
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
    const now = this.#clock();
    let failures = jail.filter.process(line, now, live);
    if (failures.length === 0 && messageStart > 0) {
      const { time, stream } = line;
      const cut = line.cut === undefined ? undefined : Math.max(0, line.cut - messageStart);
      const message = { text: line.text.slice(messageStart), time, dateRemoved: false, stream, cut };
      failures = jail.filter.process(message, now, live);
    }
    if (failures.length > 0) this.#judge.take(jail.jail, failures, container, live);
    return failures.length > 0;
  }
}

/** False: the filter isn't for lines of this stream, or would find nothing in the line or any part of it. */
function mayMatter({ jail, screen }: ActiveJail, { time, text, stream }: LogLine): boolean {
  const wanted = jail.spec.filter.stream;
  if (wanted !== undefined && stream !== undefined && stream !== wanted) return false;
  return time === undefined || screen.mayMatter(text);
}
