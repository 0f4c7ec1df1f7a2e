/** A problem, as far as it tells one from another. */
interface Problem {
  readonly where: string;
  readonly message: string;
}

/** Says each problem once, and again only after it was gone. */
export class ProblemLog<P extends Problem> {
  readonly #say: (problem: P) => void;
  #standing: ReadonlySet<string> = new Set();

  constructor(say: (problem: P) => void) {
    this.#say = say;
  }

  /** Those that there are now, for people. */
  get standing(): string[] {
    return [...this.#standing];
  }

  /** @param problems all that there are now */
  report(problems: readonly P[]): void {
    const now = new Set<string>();
    for (const problem of problems) {
      const key = `${problem.where}: ${problem.message}`;
      if (!this.#standing.has(key) && !now.has(key)) this.#say(problem);
      now.add(key);
    }
    this.#standing = now;
  }
}
