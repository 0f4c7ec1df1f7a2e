import { setImmediate as turn } from 'node:timers/promises';

/** Milliseconds for which work may go on before others have their turn. */
const atOnce = 30;

/** Lets others have their turn amid long work. */
export class Turns {
  #end = performance.now() + atOnce;

  /** Whether it is the others' turn. */
  get isOver(): boolean {
    return performance.now() > this.#end;
  }

  /** Takes a new turn if this one is over: after the others'. */
  async next(): Promise<void> {
    if (!this.isOver) return;
    await turn();
    this.#end = performance.now() + atOnce;
  }
}
