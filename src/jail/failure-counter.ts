import { detached } from './detached.ts';
import { LineBudget } from './line-budget.ts';
import { cutLine, matchLimits } from './matched-lines.ts';

/** Attackers may have many addresses: beyond so many ids, those whose last failure was counted longest ago are forgotten. */
const mostIds = 100_000;

/** What was counted of one id. */
export interface CountedFailures {
  /** Epoch milliseconds of the failure that opened the interval. */
  readonly first: number;
  /** Epoch milliseconds of the newest failure. */
  readonly last: number;
  readonly count: number;
  /** The newest matched lines that are kept, oldest first. */
  readonly lines: readonly string[];
}

/** The failures of one id, in the form fail2ban keeps them (its FailTicket). */
interface Ticket {
  /** Epoch milliseconds of the failure that opened the interval. */
  first: number;
  /** Epoch milliseconds of the newest failure. */
  last: number;
  count: number;
  /** Copies of the newest matched lines, oldest first; undefined: none is kept. */
  lines: string[] | undefined;
}

/** What one more failure came to. */
export interface CountResult {
  /** The failures that stand against the id now. */
  readonly failures: number;
  /** Epoch milliseconds of the newest failure; a ban begins then. */
  readonly last: number;
  /** Whether they reached maxretry; the id then starts again from nothing. */
  readonly reached: boolean;
  /** The matched lines that were kept, if maxretry was reached; else none. */
  readonly lines: readonly string[];
}

export interface CounterLimits {
  readonly maxretry: number;
  /** Seconds. */
  readonly findtime: number;
  /** Lines to keep of an id, of which `matchLimits` is the most; default: maxretry. */
  readonly maxmatches?: number;
}

/**
 * Counts failures as fail2ban does: not a sliding window but one ticket an id. When the interval since its first failure
 * outgrows findtime, the count is scaled down to the rate seen so far. (fail2ban 1.0: server/failmanager.py, ticket.py.)
 */
export class FailureCounter {
  /** Whose last failure was counted longest ago first. */
  readonly #tickets = new Map<string, Ticket>();
  /** Ids whose stored count is another than theirs now; whether something is stored of them at all. */
  readonly #changed = new Map<string, boolean>();
  readonly #budget: LineBudget;
  #total = 0;
  #maxretry = 0;
  /** Milliseconds. */
  #findtime = 0;
  #maxmatches = 0;

  /** @param budget shared by all jails */
  constructor(limits: CounterLimits, budget: LineBudget = new LineBudget()) {
    this.#budget = budget;
    this.setLimits(limits);
  }

  /** Changes the limits and keeps what was counted. */
  setLimits({ maxretry, findtime, maxmatches = maxretry }: CounterLimits): void {
    this.#maxretry = maxretry;
    this.#findtime = findtime * 1000;
    this.#maxmatches = Math.min(maxmatches, matchLimits.lines);
  }

  /** Ids with failures below maxretry. */
  get current(): number {
    return this.#tickets.size;
  }

  /** Failures since the start. */
  get total(): number {
    return this.#total;
  }

  /** What stands against an id; undefined: nothing. */
  get(id: string): CountedFailures | undefined {
    const ticket = this.#tickets.get(id);
    return ticket && counted(ticket);
  }

  /**
   * @param time epoch milliseconds of the failure
   * @param attempts how many failures the first report of an id counts as; later reports count as one, as in fail2ban
   * @param weight how many this report counts as; more than one for an id that was banned before (`bantime.increment`)
   * @param lines what was logged of it
   */
  add(id: string, time: number, attempts = 1, weight = 1, lines: readonly string[] = []): CountResult {
    this.#total += 1;
    const known = this.#tickets.get(id);
    if (known) {
      this.#advance(known, time);
      known.count += weight;
      this.#tickets.delete(id);
    }
    const ticket = known ?? { first: time, last: time, count: attempts + weight - 1, lines: undefined };
    if (ticket.count >= this.#maxretry) {
      if (known) this.#gone(id, known);
      const kept = [...(ticket.lines ?? []), ...lines].slice(-this.#maxmatches);
      return { failures: ticket.count, last: ticket.last, reached: true, lines: kept };
    }
    this.#keepLines(ticket, lines);
    this.#tickets.set(id, ticket);
    if (!this.#changed.has(id)) this.#changed.set(id, known !== undefined);
    if (this.#tickets.size > mostIds) this.forget(this.#tickets.keys().next().value!);
    return { failures: ticket.count, last: ticket.last, reached: false, lines: [] };
  }

  /** Forgets an id's failures. */
  forget(id: string): void {
    const ticket = this.#tickets.get(id);
    if (!ticket) return;
    this.#tickets.delete(id);
    this.#gone(id, ticket);
  }

  /** Forgets everything that was counted. */
  clear(): void {
    for (const id of this.#tickets.keys()) this.forget(id);
    this.#total = 0;
  }

  /** Drops the ids whose newest failure is findtime or longer ago. */
  expire(now: number): void {
    const oldest = now - this.#findtime;
    for (const [id, ticket] of this.#tickets) if (ticket.last <= oldest) this.forget(id);
  }

  /** The clock was set: what was counted before keeps its age. @param ms by so much the new time is ahead */
  shift(ms: number): void {
    for (const [id, ticket] of this.#tickets) {
      ticket.first += ms;
      ticket.last += ms;
      if (!this.#changed.has(id)) this.#changed.set(id, true);
    }
  }

  /** Takes over what an earlier run counted; what this one has counted of the same id stands. */
  restore(id: string, { first, last, count, lines }: CountedFailures): void {
    if (this.#tickets.has(id) || this.#changed.has(id) || this.#tickets.size >= mostIds) return;
    const ticket: Ticket = { first, last, count, lines: undefined };
    this.#keepLines(ticket, lines);
    this.#tickets.set(id, ticket);
  }

  /** What is to be stored in place of what is: the failures of an id, or nothing. */
  *changes(): Generator<readonly [id: string, failures: CountedFailures | undefined]> {
    for (const id of this.#changed.keys()) yield [id, this.get(id)];
  }

  /** The changes are stored. */
  settle(): void {
    this.#changed.clear();
  }

  /** Marks everything unsaved: the database was replaced. */
  unsettle(): void {
    this.#changed.clear();
    for (const id of this.#tickets.keys()) this.#changed.set(id, false);
  }

  #gone(id: string, ticket: Ticket): void {
    this.#budget.release(lengthOf(ticket));
    if (this.#changed.get(id) === false) this.#changed.delete(id);
    else this.#changed.set(id, true);
  }

  #keepLines(ticket: Ticket, lines: readonly string[]): void {
    for (const line of lines.slice(-this.#maxmatches)) {
      const text = cutLine(line, matchLimits.lineLength);
      while (
        ticket.lines?.length &&
        (ticket.lines.length >= this.#maxmatches || lengthOf(ticket) + text.length > matchLimits.totalLength)
      ) {
        this.#budget.release(ticket.lines.shift()!.length);
      }
      if (this.#budget.take(text.length)) (ticket.lines ??= []).push(detached(text));
    }
  }

  #advance(ticket: Ticket, time: number): void {
    if (time <= ticket.last) return;
    if (ticket.first < time - this.#findtime) {
      // In seconds, as fail2ban computes it: in milliseconds some halves would come out just below.
      const seconds = (time - ticket.first) / 1000;
      ticket.count = roundHalfToEven((ticket.count / seconds) * (this.#findtime / 1000));
      ticket.first = time - this.#findtime;
    }
    ticket.last = time;
  }
}

function counted({ first, last, count, lines = [] }: Ticket): CountedFailures {
  return { first, last, count, lines: [...lines] };
}

function lengthOf({ lines }: Ticket): number {
  let length = 0;
  for (const line of lines ?? []) length += line.length;
  return length;
}

/** Python's `round()`: halves go to the even neighbour. */
function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
