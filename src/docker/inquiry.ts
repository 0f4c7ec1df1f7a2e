import { backoffDelay, type Backoff } from '../async/backoff.ts';
import { asDock2banError, type Dock2banError } from '../errors.ts';

/** One thing that the engine is asked for again and again: what it said last stands until it says something else. */
export class Inquiry<T> {
  readonly #tries: Backoff;
  #value: T | undefined;
  /** For what `value` is the answer. */
  #key: string | undefined;
  #error: Dock2banError | undefined;
  #failures = 0;
  #notBefore = 0;
  #underWay: Promise<void> | undefined;

  /** @param tries milliseconds between tries after a failure */
  constructor(tries: Backoff = { first: 500, longest: 15_000 }) {
    this.#tries = tries;
  }

  /** What was answered last; undefined: nothing yet. */
  get value(): T | undefined {
    return this.#value;
  }

  /** Why it has not been answered since the first failure; undefined: the last try was answered. */
  get error(): Dock2banError | undefined {
    return this.#error;
  }

  /** How often it failed since it was answered. */
  get failures(): number {
    return this.#failures;
  }

  /** Resolves when it has been answered, or that failed; undefined: it isn't being asked. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay;
  }

  /** Milliseconds until it may be asked again after a failure; undefined: nothing failed, or it is being asked. */
  get retryIn(): number | undefined {
    if (!this.#error || this.#underWay) return undefined;
    return Math.max(0, this.#notBefore - performance.now());
  }

  /** Whether what is known is the answer for that key. */
  isAnswered(key: string): boolean {
    return this.#key === key;
  }

  /** Asks, unless that was answered for the same key, is under way, or failed just now. */
  ask(key: string, call: () => Promise<T>, signal: AbortSignal): void {
    if (this.#underWay || (this.#key === key && !this.#error)) return;
    if (this.#error && performance.now() < this.#notBefore) return;
    this.#underWay = this.#answer(key, call, signal).finally(() => (this.#underWay = undefined));
  }

  async #answer(key: string, call: () => Promise<T>, signal: AbortSignal): Promise<void> {
    try {
      this.#value = await call();
      this.#key = key;
      this.#error = undefined;
      this.#failures = 0;
    } catch (error) {
      // The whole session ends: that says nothing about this.
      if (signal.aborted) return;
      // The first one is kept: every try in vain is the same trouble.
      this.#error ??= asDock2banError(error, 'docker-refused');
      this.#notBefore = performance.now() + backoffDelay(this.#tries, this.#failures, () => 0);
      this.#failures += 1;
    }
  }
}

/** So many at a time. */
const mostAtOnce = 16;

/** Asks for things of one kind, for each by itself: one for which there is never an answer says nothing about the others. */
export class Inquiries<T> {
  readonly #tries: Backoff | undefined;
  readonly #byId = new Map<string, Inquiry<T>>();
  readonly #waiting = new Set<() => void>();
  #free = mostAtOnce;

  constructor(tries?: Backoff) {
    this.#tries = tries;
  }

  get(id: string): Inquiry<T> | undefined {
    return this.#byId.get(id);
  }

  /** @param key the same as long as an earlier answer will do */
  ask(id: string, key: string, call: (inquiry: Inquiry<T>) => Promise<T>, signal: AbortSignal): Inquiry<T> {
    const inquiry = this.#byId.get(id) ?? new Inquiry<T>(this.#tries);
    this.#byId.set(id, inquiry);
    inquiry.ask(key, () => this.#inTurn(() => call(inquiry)), signal);
    return inquiry;
  }

  /** Forgets all others. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#byId.keys()) if (!ids.has(id)) this.#byId.delete(id);
  }

  async #inTurn(act: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.add(resolve));
    try {
      return await act();
    } finally {
      const [next] = this.#waiting;
      if (next && this.#waiting.delete(next)) next();
      else this.#free += 1;
    }
  }
}
