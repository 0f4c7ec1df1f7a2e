import { classSet, complement, itemsSet, type CharSet } from './char-set.ts';
import { children, RegexError, type AssertionKind, type Fold, type Node } from './syntax.ts';

/** One step of a program; `next` and the like are indices of steps. */
export type Step =
  | { readonly op: 'char'; readonly accepts: UnitTest; next: number }
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'save'; readonly slot: number; next: number }
  | { readonly op: 'assert'; readonly kind: AssertionKind; readonly word: UnitTest; next: number }
  /** `width`: how far back a lookbehind begins; undefined for a lookahead. */
  | {
      readonly op: 'look';
      readonly body: number;
      readonly negated: boolean;
      readonly width: number | undefined;
      next: number;
    }
  | { readonly op: 'reference'; readonly group: number; next: number }
  /** Goes on by whether a group has matched. */
  | { readonly op: 'test'; readonly group: number; readonly set: number; readonly unset: number }
  | { readonly op: 'match' };

export type UnitTest = (unit: number) => boolean;

export interface Program {
  readonly steps: readonly Step[];
  readonly start: number;
  /** Whether it can only match at the begin of a text. */
  readonly anchored: boolean;
  /** Whether what comes depends on what groups captured, so that failures can't be remembered. */
  readonly references: boolean;
}

/** Counts are unrolled; what would be longer than this isn't worth running. */
const maxSteps = 4000;

/**
 * Compiles an expression for BoundedMatcher.
 * @throws RegexError for what it can't do: possessive and atomic groups, groups in lookarounds, references that ignore case
 */
export function compileProgram(root: Node): Program {
  const compiler = new Compiler();
  const end = compiler.add({ op: 'match' });
  const start = compiler.compile(root, end);
  return {
    steps: compiler.steps,
    start,
    anchored: beginsAtStart(root),
    references: compiler.steps.some(({ op }) => op === 'reference' || op === 'test'),
  };
}

/** Builds from the end: each node is compiled with the step that follows it known. */
class Compiler {
  readonly steps: Step[] = [];
  /** What is the same set is made once. */
  readonly #sets = new Map<string, UnitTest>();
  readonly #word = once(() => testOf(classSet('word', false)));
  readonly #asciiWord = once(() => testOf(classSet('word', true)));

  add(step: Step): number {
    if (this.steps.length >= maxSteps) throw new RegexError('the expression is too large', '', 0);
    return this.steps.push(step) - 1;
  }

  compile(node: Node, next: number): number {
    switch (node.type) {
      case 'char':
        return this.#char(node.code, node.fold, next);
      case 'any':
        return this.add({ op: 'char', accepts: node.newline ? () => true : (unit) => unit !== 10, next });
      case 'set': {
        const key = JSON.stringify(node);
        const accepts = this.#sets.get(key) ?? testOf(unitsOf(node));
        this.#sets.set(key, accepts);
        return this.add({ op: 'char', accepts, next });
      }
      case 'assertion': {
        const word = node.ascii ? this.#asciiWord() : this.#word();
        return this.add({ op: 'assert', kind: node.kind, word, next });
      }
      case 'sequence':
        return node.items.reduceRight((after, item) => this.compile(item, after), next);
      case 'choice':
        return node.options
          .map((option) => this.compile(option, next))
          .reduceRight((second, first) => this.add({ op: 'split', first, second }));
      case 'capture': {
        const close = this.add({ op: 'save', slot: 2 * node.group + 1, next });
        return this.add({ op: 'save', slot: 2 * node.group, next: this.compile(node.body, close) });
      }
      case 'repeat':
        return this.#repeat(node, next);
      case 'look': {
        if (hasCapture(node.body)) throw unsupported('a group inside of a lookaround');
        const width = node.ahead ? undefined : widthOf(node.body);
        const body = this.compile(node.body, this.add({ op: 'match' }));
        return this.add({ op: 'look', body, negated: node.negated, width, next });
      }
      case 'backreference':
        if (node.fold !== 'none') throw unsupported('a reference that ignores case', node.position);
        return this.add({ op: 'reference', group: node.group, next });
      case 'never':
        return this.add({ op: 'char', accepts: () => false, next });
      case 'conditional': {
        const [set, unset] = [this.compile(node.yes, next), this.compile(node.no, next)];
        return this.add({ op: 'test', group: node.group, set, unset });
      }
      case 'atomic':
        throw unsupported('an atomic group');
    }
  }

  #char(code: number, fold: Fold, next: number): number {
    if (code > 0xffff) {
      const [high, low] = [
        String.fromCodePoint(code).charCodeAt(0),
        String.fromCodePoint(code).charCodeAt(1),
      ];
      const second = this.add({ op: 'char', accepts: (unit) => unit === low, next });
      return this.add({ op: 'char', accepts: (unit) => unit === high, next: second });
    }
    const set =
      fold === 'none' ? undefined : itemsSet([{ kind: 'range', from: code, to: code }], fold, 'unicode');
    return this.add({ op: 'char', accepts: set ? testOf(set) : (unit) => unit === code, next });
  }

  #repeat({ body, min, max, mode }: Extract<Node, { type: 'repeat' }>, next: number): number {
    if (mode === 'possessive') throw unsupported('a possessive quantifier');
    const fork = (into: number, past: number): Step =>
      mode === 'lazy'
        ? { op: 'split', first: past, second: into }
        : { op: 'split', first: into, second: past };
    let entry = next;
    if (max === Infinity) {
      entry = this.add({ op: 'split', first: next, second: next });
      this.steps[entry] = fork(this.compile(body, entry), next);
    } else for (let i = min; i < max; i += 1) entry = this.add(fork(this.compile(body, entry), next));
    for (let i = 0; i < min; i += 1) entry = this.compile(body, entry);
    return entry;
  }
}

function unitsOf({ items, fold, negated }: Extract<Node, { type: 'set' }>): CharSet {
  const set = itemsSet(items, fold, 'unicode');
  return negated ? complement(set) : set;
}

function once<Value>(make: () => Value): () => Value {
  let value: Value | undefined;
  return () => (value ??= make());
}

/** Membership in a set, by a table for the first 256 units and by bisection for the others. */
function testOf(set: CharSet): UnitTest {
  const low = new Uint8Array(256);
  for (const [from, to] of set) low.fill(1, Math.min(from, 256), Math.min(to + 1, 256));
  const high = set.filter(([, to]) => to > 255);
  return (unit) => (unit < 256 ? low[unit] === 1 : contains(high, unit));
}

function contains(set: CharSet, unit: number): boolean {
  let [low, high] = [0, set.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (set[middle]![1] < unit) low = middle + 1;
    else high = middle;
  }
  return low < set.length && set[low]![0] <= unit;
}

function hasCapture(node: Node): boolean {
  return node.type === 'capture' || children(node).some(hasCapture);
}

function beginsAtStart(node: Node): boolean {
  switch (node.type) {
    case 'assertion':
      return node.kind === 'start';
    case 'sequence':
      return node.items.length > 0 && beginsAtStart(node.items[0]!);
    case 'choice':
      return node.options.every(beginsAtStart);
    case 'capture':
      return beginsAtStart(node.body);
    default:
      return false;
  }
}

/** How many units a node matches, where that is always the same number. */
function widthOf(node: Node): number {
  switch (node.type) {
    case 'char':
      return node.code > 0xffff ? 2 : 1;
    case 'any':
    case 'set':
      return 1;
    case 'assertion':
    case 'look':
    case 'never':
      return 0;
    case 'sequence':
    case 'capture':
      return children(node).reduce((sum, child) => sum + widthOf(child), 0);
    case 'choice': {
      const widths = new Set(node.options.map(widthOf));
      if (widths.size === 1) return [...widths][0]!;
      break;
    }
    case 'repeat':
      if (node.min === node.max) return node.min * widthOf(node.body);
      break;
    default:
      break;
  }
  throw unsupported('a lookbehind of varying width');
}

function unsupported(what: string, position = 0): RegexError {
  return new RegexError(`${what} has no bound on its cost`, what, position);
}
