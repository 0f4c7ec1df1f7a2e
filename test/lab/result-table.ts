/** What became of the cells of a matrix, to be printed when all is done. What was begun and never passed has failed. */
export class ResultTable {
  readonly #head: readonly string[];
  readonly #columns: readonly string[];
  readonly #rows = new Map<string, { names: readonly string[]; results: Map<string, string> }>();

  /**
   * @param head what the columns that name a row are called
   * @param columns those that hold results
   */
  constructor(head: readonly string[], columns: readonly string[]) {
    this.#head = head;
    this.#columns = columns;
  }

  /** Runs a test and notes how it ended. */
  async record(names: readonly string[], column: string, test: () => Promise<void>): Promise<void> {
    const key = JSON.stringify(names);
    const row = this.#rows.get(key) ?? { names, results: new Map<string, string>() };
    this.#rows.set(key, row);
    row.results.set(column, 'FAILED');
    await test();
    row.results.set(column, 'passed');
  }

  toString(): string {
    const lines = [[...this.#head, ...this.#columns]];
    for (const { names, results } of this.#rows.values()) {
      lines.push([...names, ...this.#columns.map((column) => results.get(column) ?? 'not run')]);
    }
    const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
    return lines
      .map((line) =>
        line
          .map((text, i) => text.padEnd(widths[i]!))
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }
}
