import { createHash } from 'node:crypto';
import { Turns } from '../../async/turns.ts';
import type { CompileFilter } from '../../config/jails/checked-filters.ts';
import type { FilterSpec } from '../../filter/spec.ts';

/** Several times as many as labels may have expressions. */
const mostRemembered = 20_000;

/**
 * Compiles each filter once, and others have their turn meanwhile: every Docker event asks for all of them again, and labels may have
 * thousands of expressions.
 */
export class GradualCheck {
  readonly #check: CompileFilter;
  readonly #answers = new Map<string, string | undefined>();
  readonly #left = new Map<string, FilterSpec>();
  #turns = new Turns();

  constructor(check: CompileFilter) {
    this.#check = check;
  }

  /**
   * Works out what asks for filters: again and again, until all that it asked for are known. Until then those beyond a turn's time pass
   * for good.
   */
  async resolve<T>(workOut: (compile: CompileFilter) => T): Promise<T> {
    for (;;) {
      await this.#turns.next();
      const result = workOut((spec) => this.#answer(spec));
      if (this.#left.size === 0) {
        for (const [key] of this.#answers) if (this.#answers.size > mostRemembered) this.#answers.delete(key);
        return result;
      }
      for (const [key, spec] of this.#left) {
        await this.#turns.next();
        this.#remember(key, spec);
      }
      this.#left.clear();
    }
  }

  #answer(spec: FilterSpec): string | undefined {
    const key = createHash('sha256').update(JSON.stringify(spec)).digest('base64');
    if (this.#answers.has(key)) return this.#answers.get(key);
    if (!this.#turns.isOver) return this.#remember(key, spec);
    this.#left.set(key, spec);
    return undefined;
  }

  #remember(key: string, spec: FilterSpec): string | undefined {
    const answer = this.#check(spec);
    this.#answers.set(key, answer);
    return answer;
  }
}
