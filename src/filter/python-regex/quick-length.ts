import { complement, itemsSet, restricted } from './char-set.ts';
import { canBeEmpty, type Node, type SetItem } from './syntax.ts';

/** Characters: a bit for each of ASCII, and one for all others. */
type Chars = bigint;
const others = 1n << 128n;
const all: Chars = (others << 1n) - 1n;
const nothing: Chars = 0n;

/** More rounds than this make a loop. */
export const fewTimes = 8;

/** With more that is open at once, no text is short enough. */
const mostOpen = 64;

/** Steps that V8 does in some 10 ms. */
const maxSteps = 2_000_000;

/**
 * Up to what length of a text a backtracking search takes some 10 ms at most, whatever the text: at the worst it tries in
 * combination all places where what loops took may end, and all ways to take what is variable otherwise. 0: for no text that
 * isn't empty, as what a loop repeats can be taken in several ways.
 */
export function quickLength(root: Node): number {
  const counter = new Counter();
  counter.walk(root, [{ chars: all, ways: Infinity }]);
  return counter.ambiguous ? 0 : counter.quickLength;
}

/** What may still give up some of what it took. */
interface Open {
  /** What it takes. */
  readonly chars: Chars;
  /** How much it may take; Infinity: as much as the text has. */
  readonly ways: number;
}

/** Walks through an expression, with what is still open. */
class Counter {
  quickLength = Infinity;
  ambiguous = false;

  walk(node: Node, open: readonly Open[]): readonly Open[] {
    switch (node.type) {
      case 'char':
      case 'any':
      case 'set':
        return whichTake(charsOf(node), open);
      case 'sequence':
        return node.items.reduce((still, item) => this.walk(item, still), open);
      case 'choice':
        return this.#oneOf(node, node.options, open);
      case 'conditional':
        return this.#oneOf(node, [node.yes, node.no], open);
      case 'capture':
      case 'atomic':
        return this.walk(node.body, open);
      case 'repeat':
        return this.#repeat(node, open);
      case 'look':
        this.walk(node.body, node.ahead ? open : []);
        return open;
      case 'assertion':
        return node.kind === 'start' ? [] : open;
      case 'backreference':
      case 'never':
        return open;
    }
  }

  #oneOf(node: Node, options: readonly Node[], open: readonly Open[]): readonly Open[] {
    const passed = options.map((option) => this.walk(option, open)).reduce(either);
    return placesOf(node) === undefined ? this.#opened(passed, charsOf(node), options.length) : passed;
  }

  #repeat({ body, min, max }: Extract<Node, { type: 'repeat' }>, open: readonly Open[]): readonly Open[] {
    const loop = max > fewTimes;
    if (loop && placesOf(body) === undefined) this.ambiguous = true;
    const rounds = loop ? 1 : max;
    let passed = open;
    for (let round = 0; round < rounds; round += 1) passed = this.walk(body, passed);
    if (min !== max) passed = this.#opened(passed, charsOf(body), loop ? Infinity : max - min + 1);
    return min === 0 || canBeEmpty(body) ? either(open, passed) : passed;
  }

  #opened(open: readonly Open[], chars: Chars, ways: number): readonly Open[] {
    const opened = [...open, { chars, ways }];
    if (opened.length > mostOpen) this.ambiguous = true;
    if (this.ambiguous) return [];
    let steps = 1;
    let loops = 0;
    for (const one of opened) {
      if (one.ways === Infinity) loops += 1;
      steps *= one.ways === Infinity ? 1 / loops : one.ways;
    }
    this.quickLength = Math.min(this.quickLength, Math.floor((maxSteps / steps) ** (1 / loops)));
    return opened;
  }
}

function whichTake(chars: Chars, open: readonly Open[]): readonly Open[] {
  return open.filter((one) => (one.chars & chars) !== nothing);
}

/** What may be open behind two ways of which one is taken. */
function either(a: readonly Open[], b: readonly Open[]): readonly Open[] {
  const [longer, shorter] = a.length >= b.length ? [a, b] : [b, a];
  const behind = longer.length - shorter.length;
  return longer.map((one, i) => {
    const other = shorter[i - behind];
    return other ? { chars: one.chars | other.chars, ways: Math.max(one.ways, other.ways) } : one;
  });
}

/** What a node takes, character by character; undefined: it isn't always as many, or there may be several ways to take them. */
function placesOf(node: Node): readonly Chars[] | undefined {
  switch (node.type) {
    case 'char':
    case 'any':
    case 'set':
      return [charsOf(node)];
    case 'look':
    case 'assertion':
    case 'never':
      return [];
    case 'sequence':
      return joined(node.items.map(placesOf));
    case 'choice':
      return onlyWay(node.options.map(placesOf));
    case 'capture':
    case 'atomic':
      return placesOf(node.body);
    case 'repeat':
      return node.min === node.max && node.max <= 64
        ? joined(Array<readonly Chars[] | undefined>(node.max).fill(placesOf(node.body)))
        : undefined;
    case 'backreference':
    case 'conditional':
      return undefined;
  }
}

function joined(parts: readonly (readonly Chars[] | undefined)[]): readonly Chars[] | undefined {
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

/** Of options of the same length, if for each two there is a place where they take different characters. */
function onlyWay(options: readonly (readonly Chars[] | undefined)[]): readonly Chars[] | undefined {
  if (!options.every((option) => option !== undefined)) return undefined;
  const [first = [], ...rest] = options;
  if (rest.some(({ length }) => length !== first.length)) return undefined;
  const differ = (a: readonly Chars[], b: readonly Chars[]): boolean =>
    a.some((chars, at) => (chars & b[at]!) === nothing);
  const exclusive = options.every((one, i) => options.slice(i + 1).every((other) => differ(one, other)));
  return exclusive
    ? first.map((_, at) => options.reduce((chars, option) => chars | option[at]!, nothing))
    : undefined;
}

/** The characters that a node may take, or more. */
function charsOf(node: Node): Chars {
  switch (node.type) {
    case 'char':
      return charsOfSet([{ kind: 'range', from: node.code, to: node.code }], false, node.fold !== 'none');
    case 'any':
    case 'backreference':
      return all;
    case 'set':
      return charsOfSet(node.items, node.negated, node.fold !== 'none');
    case 'sequence':
      return node.items.reduce((chars, item) => chars | charsOf(item), nothing);
    case 'choice':
      return node.options.reduce((chars, option) => chars | charsOf(option), nothing);
    case 'conditional':
      return charsOf(node.yes) | charsOf(node.no);
    case 'capture':
    case 'atomic':
    case 'repeat':
      return charsOf(node.body);
    case 'look':
    case 'assertion':
    case 'never':
      return nothing;
  }
}

function charsOfSet(items: readonly SetItem[], negated: boolean, folds: boolean): Chars {
  const members = itemsSet(items, folds ? 'unicode' : 'none', 'ascii');
  const ranges = negated ? restricted(complement(members), 'ascii') : members;
  let chars = nothing;
  for (const [from, to] of ranges) chars |= ((1n << BigInt(to - from + 1)) - 1n) << BigInt(from);
  const beyond = items.some((item) => item.kind === 'class' || item.to > 0x7f);
  return negated || beyond || (folds && (chars & foldable) !== nothing) ? chars | others : chars;
}

/** Letters that are, but for the case, some beyond ASCII: dotless i, the Kelvin sign, long s. */
const foldable = Array.from('iksIKS', (letter) => 1n << BigInt(letter.charCodeAt(0))).reduce((a, b) => a | b);
