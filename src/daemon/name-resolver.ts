import { lookup } from 'node:dns/promises';
import { canonicalAddress } from '../address.ts';
import type { NameResolver } from '../filter/resolver.ts';

type Lookup = (name: string) => Promise<readonly string[]>;

/** Milliseconds that an answer is believed; fail2ban's own cache keeps as long. */
const freshFor = 300_000;
/** Attackers choose the names: no more than this many are remembered, asked for at once, or waited for. */
const limits = { remembered: 1000, underWay: 8, waiting: 200 };

interface Answer {
  readonly addresses: readonly string[];
  readonly until: number;
}

/** Asks the system's resolver, with a cache; bounded in every way, as names come from log lines. */
export class CachingResolver implements NameResolver {
  readonly #ask: Lookup;
  readonly #clock: () => number;
  readonly #answers = new Map<string, Answer>();
  /** Who waits for a name, under way or queued. */
  readonly #waiting = new Map<string, ((addresses: readonly string[]) => void)[]>();
  readonly #queue: string[] = [];
  #underWay = 0;

  constructor(ask: Lookup = askSystem, clock: () => number = Date.now) {
    this.#ask = ask;
    this.#clock = clock;
  }

  lookup(name: string, whenKnown: (addresses: readonly string[]) => void): readonly string[] | undefined {
    const answer = this.#answers.get(name);
    if (answer && answer.until > this.#clock()) return answer.addresses;
    const others = this.#waiting.get(name);
    if (others) others.push(whenKnown);
    else if (this.#queue.length < limits.waiting) {
      this.#waiting.set(name, [whenKnown]);
      this.#queue.push(name);
      void this.#work();
    }
    return undefined;
  }

  async #work(): Promise<void> {
    if (this.#underWay >= limits.underWay) return;
    this.#underWay += 1;
    for (let name = this.#queue.shift(); name !== undefined; name = this.#queue.shift()) {
      const addresses = await this.#ask(name).catch(() => []);
      this.#remember(name, addresses);
      const waiting = this.#waiting.get(name) ?? [];
      this.#waiting.delete(name);
      for (const whenKnown of waiting) whenKnown(addresses);
    }
    this.#underWay -= 1;
  }

  #remember(name: string, addresses: readonly string[]): void {
    this.#answers.delete(name);
    this.#answers.set(name, { addresses, until: this.#clock() + freshFor });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > limits.remembered && oldest !== undefined) this.#answers.delete(oldest);
  }
}

async function askSystem(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true });
  return found.flatMap(({ address }) => canonicalAddress(address) ?? []);
}
