/** A word of memory in which who works says so: another thread reads it when this one doesn't answer any more. */
export class WorkSign {
  readonly #words: Int32Array;
  readonly #place: number;
  readonly #id: number;

  /** @param id what stands at that place while the work goes on; 0 stands there else */
  constructor(words: Int32Array, place: number, id: number) {
    this.#words = words;
    this.#place = place;
    this.#id = id;
  }

  begin(): void {
    this.#words[this.#place] = this.#id;
  }

  end(): void {
    this.#words[this.#place] = 0;
  }
}
