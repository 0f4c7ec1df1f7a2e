import {
  classSource,
  wordSource,
  complement,
  escapeUnit,
  itemsSet,
  restricted,
  type Alphabet,
} from './char-set.ts';
import { expandConditionals } from './conditionals.ts';
import { factored } from './factor.ts';
import { canBeEmpty, children, RegexError, type AssertionKind, type Fold, type Node } from './syntax.ts';

/** A JavaScript expression, for use without flags, that does what a Python one does. */
export interface Translation {
  readonly source: string;
  /** For each group, the JavaScript groups that it became; at most one of them takes part in a match. */
  readonly groups: ReadonlyMap<number, readonly number[]>;
}

/** Conditionals are expanded to alternatives, which can multiply; longer sources than this are refused. */
const maxSource = 500_000;

/**
 * @param alphabet the characters that occur in the texts which it will be run on
 * @param wanted the groups to capture; others only group
 * @throws RegexError for what has no counterpart in JavaScript
 */
export function translate(root: Node, alphabet: Alphabet, wanted: Iterable<number>): Translation {
  const expanded = expandConditionals(root);
  const emitter = new Emitter(alphabet, new Set([...wanted, ...referenced(expanded)]));
  const source = emitter.emit(expanded, true);
  if (source.length > maxSource) throw new RegexError('the expression is too large', '(?(…)…)', 0);
  return { source, groups: emitter.numbers };
}

function referenced(node: Node): number[] {
  const below = children(node).flatMap(referenced);
  return node.type === 'backreference' ? [node.group, ...below] : below;
}

class Emitter {
  /** JavaScript's group numbers by Python's. */
  readonly numbers = new Map<number, number[]>();
  readonly #alphabet: Alphabet;
  readonly #wanted: ReadonlySet<number>;
  #count = 0;

  /** @param wanted the groups that must be captured; others only group */
  constructor(alphabet: Alphabet, wanted: ReadonlySet<number>) {
    this.#alphabet = alphabet;
    this.#wanted = wanted;
  }

  /** @param last whether nothing of the expression comes behind the node */
  emit(node: Node, last = false): string {
    switch (node.type) {
      case 'char':
        return this.#char(node.code, node.fold);
      case 'any':
        return node.newline ? '[^]' : '[^\\n]';
      case 'set':
        return this.#set(node);
      case 'assertion':
        return this.#assertion(node.kind, node.ascii, last);
      case 'sequence':
        return node.items
          .map((item, i) => {
            const source = this.emit(item, last && i === node.items.length - 1);
            return item.type === 'choice' ? `(?:${source})` : source;
          })
          .join('');
      case 'choice':
        return factored(node.options)
          .map((option) => this.emit(option, last))
          .join('|');
      case 'capture':
        return this.#capture(node.group, node.body);
      case 'repeat': {
        const { min, max, mode } = node;
        // JavaScript would rather leave such a body out than match it empty, which shows in what groups capture.
        if (min === 0 && max === 1 && mode !== 'possessive' && canBeEmpty(node.body))
          return mode === 'lazy' ? `(?:|${this.emit(node.body)})` : `(?:${this.emit(node.body)}|)`;
        const repeated = `${this.#atom(node.body)}${quantifier(min, max)}${mode === 'lazy' ? '?' : ''}`;
        return mode === 'possessive' ? this.#atomic(() => repeated) : repeated;
      }
      case 'atomic':
        return this.#atomic(() => this.emit(node.body));
      case 'look':
        if (isEdge(node)) return this.#edge();
        return `(?${node.ahead ? '' : '<'}${node.negated ? '!' : '='}${this.emit(node.body)})`;
      case 'backreference': {
        const reference = `\\${this.numbers.get(node.group)!.at(-1)!}`;
        return node.fold === 'none' ? `(?:${reference})` : `(?i:${reference})`;
      }
      case 'conditional':
        throw new RegexError('a conditional was left over', '(?(…)…|…)', node.position);
      case 'never':
        return '[]';
    }
  }

  #char(code: number, fold: Fold): string {
    if (code > 0xffff) {
      const [high, low] = [...Array(2).keys()].map((i) => String.fromCodePoint(code).charCodeAt(i));
      return `(?:${escapeUnit(high!)}${escapeUnit(low!)})`;
    }
    if (fold === 'none') return escapeUnit(code);
    if (code < 0x80 && this.#alphabet === 'ascii') {
      const char = String.fromCharCode(code);
      return /[a-z]/i.test(char) ? `[${char.toUpperCase()}${char.toLowerCase()}]` : escapeUnit(code);
    }
    const set = itemsSet([{ kind: 'range', from: code, to: code }], fold, this.#alphabet);
    return set.length === 1 && set[0]![0] === set[0]![1] ? escapeUnit(set[0]![0]) : classSource(set, false);
  }

  #set({ items, negated, fold }: Extract<Node, { type: 'set' }>): string {
    const set = itemsSet(items, fold, this.#alphabet);
    // Of a negated class such as \S, the complement is the shorter source.
    if (!negated && items.some((item) => item.kind === 'class' && item.negated))
      return classSource(restricted(complement(set), this.#alphabet), true);
    return classSource(set, negated);
  }

  #assertion(kind: AssertionKind, ascii: boolean, last: boolean): string {
    switch (kind) {
      case 'start':
        return '^';
      case 'end':
        return '$';
      case 'end-or-newline':
        // V8's linear engine takes no lookahead; at the very end the newline may as well be part of the match.
        return last ? '\\n?$' : '(?=\\n?$)';
      case 'line-start':
        return '(?<![^\\n])';
      case 'line-end':
        return '(?![^\\n])';
      case 'word-boundary':
      case 'no-word-boundary': {
        const boundary = kind === 'word-boundary';
        if (ascii || this.#alphabet === 'ascii') return boundary ? '\\b' : '\\B';
        const word = wordSource();
        return boundary
          ? `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`
          : `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`;
      }
    }
  }

  /** Not within a word: of the large classes of Unicode, it takes fewer than what it stands for. */
  #edge(): string {
    return this.#alphabet === 'ascii' ? '(?!\\B\\w)' : `(?!(?<=${wordSource()})${wordSource()})`;
  }

  #capture(group: number, body: Node): string {
    if (!this.#wanted.has(group)) return `(?:${this.emit(body)})`;
    const number = ++this.#count;
    const inner = this.emit(body);
    this.numbers.set(group, [...(this.numbers.get(group) ?? []), number]);
    return `(${inner})`;
  }

  /** What a lookahead has matched is never given up: that makes a group atomic. */
  #atomic(emitBody: () => string): string {
    const number = ++this.#count;
    return `(?=(${emitBody()}))\\${number}`;
  }

  #atom(node: Node): string {
    const source = this.emit(node);
    const single =
      node.type === 'char' || node.type === 'any' || node.type === 'set' || node.type === 'capture';
    return single ? source : `(?:${source})`;
  }
}

/** Whether a node is `(?=\b|\W|$)`, as it stands behind dates. */
function isEdge(node: Extract<Node, { type: 'look' }>): boolean {
  const { ahead, negated, body } = node;
  if (!ahead || negated || body.type !== 'choice' || body.options.length !== 3) return false;
  const [boundary, other, end] = body.options;
  if (boundary?.type !== 'assertion' || boundary.kind !== 'word-boundary' || boundary.ascii) return false;
  if (end?.type !== 'assertion' || end.kind !== 'end-or-newline' || other?.type !== 'set') return false;
  const [item, ...more] = other.items;
  const isOther = item?.kind === 'class' && item.class === 'word' && item.negated && !item.ascii;
  return isOther && more.length === 0 && !other.negated;
}

function quantifier(min: number, max: number): string {
  if (max === Infinity) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}
