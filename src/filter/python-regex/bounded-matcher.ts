import { compileProgram, type Program, type Step } from './program.ts';
import type { AssertionKind, Node } from './syntax.ts';

/** Group positions of a match: start and end of each group in pairs, -1 where it took no part; group 0 is the match. */
export type Slots = Int32Array;

/** 16 MiB of memory for what has failed. */
const maxCells = 4 * 1024 * 1024;

/**
 * Searches by backtracking, as Python does and with the same result, but at a bounded cost: what has failed from a step at
 * a position is not tried again (RE2's BitState works so), and after a number of steps it gives up.
 */
export class BoundedMatcher {
  readonly #program: Program;
  readonly #slots: number;
  readonly #maxWork: number;
  #visited = new Uint32Array(0);
  #work = 0;
  /** States first visited inside of a lookaround that is still going on. */
  readonly #marks: number[] = [];
  #text = '';

  /**
   * @param groups the highest group number
   * @param maxWork how many steps a search may take; a million takes some 10 ms
   * @throws RegexError for what it can't do
   */
  constructor(root: Node, groups: number, maxWork: number) {
    this.#program = compileProgram(root);
    this.#slots = 2 * (groups + 1);
    this.#maxWork = maxWork;
  }

  /** How many steps the last search took. */
  get work(): number {
    return this.#work;
  }

  /**
   * @param earliest where a match may begin at the earliest
   * @returns undefined: no match; `exceeded`: not known, the search took too many steps
   */
  search(text: string, earliest = 0): Slots | 'exceeded' | undefined {
    const { steps, start, anchored, references } = this.#program;
    this.#text = text;
    this.#work = 0;
    const cells = references ? 0 : Math.ceil((steps.length * (text.length + 1)) / 32);
    if (cells > maxCells) return 'exceeded';
    if (this.#visited.length < cells) this.#visited = new Uint32Array(cells);
    else this.#visited.fill(0, 0, cells);
    const slots = new Int32Array(this.#slots).fill(-1);
    const last = anchored ? 0 : text.length;
    for (let from = earliest; from <= last; from += 1) {
      const end = this.#run(start, from, slots);
      if (this.#work > this.#maxWork) return 'exceeded';
      if (end < 0) continue;
      slots[0] = from;
      slots[1] = end;
      return slots;
    }
    return undefined;
  }

  /**
   * Runs from a step at a position.
   * @param marking whether visited states must be listed
   * @returns the position of the match's end, or -1
   */
  #run(start: number, from: number, slots: Slots, marking = false): number {
    const { steps, references } = this.#program;
    const text = this.#text;
    const width = text.length + 1;
    /** Alternatives to come back to: step and position; or a slot to restore: ~slot and value. */
    const trail: number[] = [];
    let at = from;
    let index = start;
    for (;;) {
      if (++this.#work > this.#maxWork) return -1;
      let alive = true;
      if (!references) {
        const state = index * width + at;
        const bit = 1 << (state & 31);
        alive = (this.#visited[state >>> 5]! & bit) === 0;
        if (alive) {
          this.#visited[state >>> 5]! |= bit;
          if (marking) this.#marks.push(state);
        }
      }
      if (alive) {
        const step = steps[index]!;
        switch (step.op) {
          case 'char':
            alive = at < text.length && step.accepts(text.charCodeAt(at));
            at += 1;
            index = step.next;
            break;
          case 'split':
            trail.push(step.second, at);
            index = step.first;
            break;
          case 'save':
            trail.push(~step.slot, slots[step.slot]!);
            slots[step.slot] = at;
            index = step.next;
            break;
          case 'assert':
            alive = holds(step.kind, text, at, step.word);
            index = step.next;
            break;
          case 'look':
            alive = this.#looks(step, at, slots) !== step.negated;
            index = step.next;
            break;
          case 'reference': {
            const [open, close] = [slots[2 * step.group]!, slots[2 * step.group + 1]!];
            alive = open >= 0 && text.startsWith(text.slice(open, close), at);
            at += close - open;
            index = step.next;
            break;
          }
          case 'test':
            index = slots[2 * step.group + 1]! >= 0 ? step.set : step.unset;
            break;
          case 'match':
            return at;
        }
      }
      while (!alive) {
        if (trail.length === 0) return -1;
        const value = trail.pop()!;
        const target = trail.pop()!;
        if (target < 0) slots[~target] = value;
        else {
          [index, at] = [target, value];
          alive = true;
        }
      }
    }
  }

  #looks({ body, width }: Extract<Step, { op: 'look' }>, at: number, slots: Slots): boolean {
    const from = at - (width ?? 0);
    if (from < 0) return false;
    const before = this.#marks.length;
    const found = this.#run(body, from, slots, true) >= 0;
    // What led to success has not failed: it must be open to the next lookaround.
    const marks = this.#marks.splice(before);
    if (found) for (const state of marks) this.#visited[state >>> 5]! &= ~(1 << (state & 31));
    return found;
  }
}

function holds(kind: AssertionKind, text: string, at: number, isWord: (unit: number) => boolean): boolean {
  switch (kind) {
    case 'start':
      return at === 0;
    case 'end':
      return at === text.length;
    case 'end-or-newline':
      return at === text.length || (at === text.length - 1 && text.charCodeAt(at) === 10);
    case 'line-start':
      return at === 0 || text.charCodeAt(at - 1) === 10;
    case 'line-end':
      return at === text.length || text.charCodeAt(at) === 10;
    case 'word-boundary':
    case 'no-word-boundary': {
      const before = at > 0 && isWord(text.charCodeAt(at - 1));
      const after = at < text.length && isWord(text.charCodeAt(at));
      return (before !== after) === (kind === 'word-boundary');
    }
  }
}
