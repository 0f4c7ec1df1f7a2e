/** The failures of one id, in the form fail2ban keeps them (its FailTicket). */
interface Ticket {
  /** Epoch milliseconds of the failure that opened the interval. */
  first: number;
  /** Epoch milliseconds of the newest failure. */
  last: number;
  count: number;
}

/** What one more failure came to. */
export interface Tally {
  /** The failures that stand against the id now. */
  readonly failures: number;
  /** Epoch milliseconds of the newest failure; a ban begins then. */
  readonly last: number;
  /** Whether they reached maxretry; the id then starts again from nothing. */
  readonly reached: boolean;
}

/**
 * Counts failures as fail2ban does: not a sliding window but one ticket an id. When the interval since its first failure
 * outgrows findtime, the count is scaled down to the rate seen so far. (fail2ban 1.0: server/failmanager.py, ticket.py.)
 */
export class FailureCounter {
  readonly #tickets = new Map<string, Ticket>();
  #total = 0;
  #maxretry: number;
  /** Milliseconds. */
  #findtime: number;

  /** @param findtime seconds */
  constructor(maxretry: number, findtime: number) {
    this.#maxretry = maxretry;
    this.#findtime = findtime * 1000;
  }

  /** Changes the limits and keeps what was counted. */
  setLimits(maxretry: number, findtime: number): void {
    this.#maxretry = maxretry;
    this.#findtime = findtime * 1000;
  }

  /** Ids with failures below maxretry. */
  get current(): number {
    return this.#tickets.size;
  }

  /** Failures since the start. */
  get total(): number {
    return this.#total;
  }

  /**
   * @param time epoch milliseconds of the failure
   * @param attempts how many failures the first report of an id counts as; later reports count as one, as in fail2ban
   * @param weight how many this report counts as; more than one for an id that was banned before (`bantime.increment`)
   */
  add(id: string, time: number, attempts = 1, weight = 1): Tally {
    this.#total += 1;
    let ticket = this.#tickets.get(id);
    if (ticket) {
      this.#advance(ticket, time);
      ticket.count += weight;
    } else {
      ticket = { first: time, last: time, count: attempts + weight - 1 };
      this.#tickets.set(id, ticket);
    }
    const reached = ticket.count >= this.#maxretry;
    if (reached) this.#tickets.delete(id);
    return { failures: ticket.count, last: ticket.last, reached };
  }

  /** Forgets an id's failures. */
  forget(id: string): void {
    this.#tickets.delete(id);
  }

  /** Drops the ids whose newest failure is findtime or longer ago. */
  expire(now: number): void {
    const oldest = now - this.#findtime;
    for (const [id, ticket] of this.#tickets) if (ticket.last <= oldest) this.#tickets.delete(id);
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

/** Python's `round()`: halves go to the even neighbour. */
function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
