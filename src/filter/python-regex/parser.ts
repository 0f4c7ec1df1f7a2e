import { parseEscape, parseSet } from './parse-set.ts';
import { Scanner } from './scanner.ts';
import {
  choice,
  empty,
  foldOf,
  noFlags,
  RegexError,
  sequence,
  type Expression,
  type Flags,
  type Node,
  type RepeatMode,
  type SetItem,
} from './syntax.ts';

const flagLetters: Readonly<Record<string, Partial<Flags>>> = {
  a: { ascii: true },
  i: { ignoreCase: true },
  m: { multiline: true },
  s: { dotAll: true },
  u: { ascii: false },
  x: { verbose: true },
};

const clearedBy: Readonly<Record<string, Partial<Flags>>> = {
  i: { ignoreCase: false },
  m: { multiline: false },
  s: { dotAll: false },
  x: { verbose: false },
};

/**
 * Parses an expression in the syntax of Python 3.11's `re`, str patterns.
 * @throws RegexError for what Python would refuse as well
 */
export function parseExpression(source: string, flags: Flags = noFlags): Expression {
  return new Parser(source).parse(flags);
}

/** Deeper nesting than anybody writes; keeps a hostile label from exhausting the stack. */
const maxDepth = 200;

class Parser {
  readonly #in: Scanner;
  readonly #names = new Map<string, number>();
  readonly #open = new Set<number>();
  #groups = 0;
  #depth = 0;

  constructor(source: string) {
    this.#in = new Scanner(source);
  }

  parse(flags: Flags): Expression {
    const root = this.#alternatives(this.#leadingFlags(flags));
    if (!this.#in.done) throw new RegexError('unbalanced parenthesis', ')', this.#in.position);
    return { root, names: this.#names };
  }

  /** `(?ims)` at the very start holds for the whole expression. */
  #leadingFlags(flags: Flags): Flags {
    for (;;) {
      const match = this.#in.take(/\(\?([aimsux]+)\)/y);
      if (!match) return flags;
      for (const letter of match[1]!) flags = { ...flags, ...flagLetters[letter] };
    }
  }

  #alternatives(flags: Flags): Node {
    if (++this.#depth > maxDepth)
      throw new RegexError('groups are nested too deeply', '(', this.#in.position);
    const options = [this.#sequence(flags)];
    while (this.#in.eat('|')) options.push(this.#sequence(flags));
    this.#depth -= 1;
    return choice(options);
  }

  #sequence(flags: Flags): Node {
    const items: Node[] = [];
    for (;;) {
      if (flags.verbose) this.#in.take(/(?:[ \t\n\r\f\v]|#[^\n]*(?:\n|$))+/y);
      const next = this.#in.peek();
      if (next === '' || next === '|' || next === ')') return sequence(items);
      const position = this.#in.position;
      const quantifier = this.#quantifier();
      if (quantifier) {
        const body = items.pop();
        const { text, ...range } = quantifier;
        if (!body || body.type === 'assertion') throw new RegexError('nothing to repeat', text, position);
        if (body.type === 'repeat') throw new RegexError('multiple repeat', text, position);
        items.push({ type: 'repeat', body, ...range });
      } else {
        const item = this.#item(flags);
        if (item) items.push(item);
      }
    }
  }

  #quantifier(): { text: string; min: number; max: number; mode: RepeatMode } | undefined {
    const match = this.#in.take(/(?:[*+?]|\{(?!\})(\d*)(,?)(\d*)\})([?+]?)/y);
    if (!match) return undefined;
    const [text, low = '', comma, high = '', suffix] = match;
    const mode = suffix === '?' ? 'lazy' : suffix === '+' ? 'possessive' : 'greedy';
    if (text.startsWith('*')) return { text, min: 0, max: Infinity, mode };
    if (text.startsWith('+')) return { text, min: 1, max: Infinity, mode };
    if (text.startsWith('?')) return { text, min: 0, max: 1, mode };
    const min = low === '' ? 0 : Number(low);
    const max = comma === '' ? min : high === '' ? Infinity : Number(high);
    if (max < min)
      throw new RegexError('min repeat greater than max repeat', text, this.#in.position - text.length);
    if (min > maxCount || (max !== Infinity && max > maxCount))
      throw new RegexError(`a repeat count is above ${maxCount}`, text, this.#in.position - text.length);
    return { text, min, max, mode };
  }

  /** One item without its quantifier; undefined for what stands for nothing, such as a comment. */
  #item(flags: Flags): Node | undefined {
    const { multiline, ascii } = flags;
    const fold = foldOf(flags);
    const position = this.#in.position;
    switch (this.#in.peek()) {
      case '(':
        return this.#group(flags, position);
      case '[':
        return { type: 'set', ...parseSet(this.#in, ascii), fold };
      case '\\':
        return this.#escape(flags, position);
    }
    const code = this.#in.next();
    switch (String.fromCodePoint(code)) {
      case '.':
        return { type: 'any', newline: flags.dotAll };
      case '^':
        return { type: 'assertion', kind: multiline ? 'line-start' : 'start', ascii };
      case '$':
        return { type: 'assertion', kind: multiline ? 'line-end' : 'end-or-newline', ascii };
      default:
        return { type: 'char', code, fold };
    }
  }

  #escape(flags: Flags, position: number): Node {
    const { ascii } = flags;
    const fold = foldOf(flags);
    const assertion = this.#in.take(/\\([AZbB])/y);
    switch (assertion?.[1] ?? '') {
      case 'A':
        return { type: 'assertion', kind: 'start', ascii };
      case 'Z':
        return { type: 'assertion', kind: 'end', ascii };
      case 'b':
        return { type: 'assertion', kind: 'word-boundary', ascii };
      case 'B':
        return { type: 'assertion', kind: 'no-word-boundary', ascii };
    }
    const number = this.#in.take(/\\(?![0-7]{3})([1-9]\d?)/y);
    if (number) {
      const group = Number(number[1]);
      this.#checkReference(group, number[0], position);
      return { type: 'backreference', group, fold, position };
    }
    const item: SetItem = parseEscape(this.#in, ascii, false);
    if (item.kind === 'class') return { type: 'set', items: [item], negated: false, fold };
    return { type: 'char', code: item.from, fold };
  }

  #group(flags: Flags, position: number): Node | undefined {
    this.#in.eat('(');
    if (!this.#in.eat('?')) return this.#capture(undefined, flags, position);
    const kind = this.#in.take(/P<|P=|:|#|=|!|<=|<!|>|\(|[-aimsuxL]+[:)]/y)?.[0];
    switch (kind) {
      case 'P<':
        return this.#capture(this.#groupName('>', position), flags, position);
      case 'P=': {
        const name = this.#groupName(')', position);
        const group = this.#names.get(name);
        if (group === undefined) throw this.#unknown(name, position);
        this.#checkReference(group, name, position);
        return { type: 'backreference', group, fold: foldOf(flags), position };
      }
      case '#':
        if (!this.#in.take(/[^)]*\)/y)) throw this.#unclosed('comment', position);
        return undefined;
      case ':':
        // A repeated group is one item: `(?:ab){2}{3}` is legal where `ab{2}{3}` is not.
        return { type: 'sequence', items: [this.#body(flags, position)] };
      case '>':
        return { type: 'atomic', body: this.#body(flags, position) };
      case '=':
      case '!':
        return { type: 'look', ahead: true, negated: kind === '!', body: this.#body(flags, position) };
      case '<=':
      case '<!':
        return { type: 'look', ahead: false, negated: kind === '<!', body: this.#body(flags, position) };
      case '(':
        return this.#conditional(flags, position);
      case undefined:
        throw new RegexError('unknown extension', this.#in.slice(position, position + 4), position);
      default: {
        const letters = kind.slice(0, -1);
        if (kind.endsWith(')'))
          throw new RegexError('global flags not at the start of the expression', `(?${kind}`, position);
        return {
          type: 'sequence',
          items: [this.#body(this.#scopedFlags(letters, flags, position), position)],
        };
      }
    }
  }

  #scopedFlags(letters: string, flags: Flags, position: number): Flags {
    const [set = '', cleared = '', ...rest] = letters.split('-');
    let result = flags;
    for (const letter of set) result = { ...result, ...flagLetters[letter] };
    for (const letter of cleared) result = { ...result, ...clearedBy[letter] };
    const bad = !/^[aimsux]*$/.test(set) || !/^[imsx]*$/.test(cleared);
    if (bad || rest.length > 0) throw new RegexError('unusable inline flags', `(?${letters}:`, position);
    return result;
  }

  #capture(name: string | undefined, flags: Flags, position: number): Node {
    const group = ++this.#groups;
    if (name !== undefined) {
      if (this.#names.has(name)) {
        throw new RegexError(
          `redefinition of group name '${name}'; in fail2ban's tags, number alternatives as <F-ALT_${name.toUpperCase()}_1>`,
          name,
          position,
        );
      }
      this.#names.set(name, group);
    }
    this.#open.add(group);
    const body = this.#body(flags, position);
    this.#open.delete(group);
    return { type: 'capture', group, body };
  }

  #body(flags: Flags, position: number): Node {
    const body = this.#alternatives(flags);
    if (!this.#in.eat(')')) throw this.#unclosed('group', position);
    return body;
  }

  #conditional(flags: Flags, position: number): Node {
    const number = this.#in.take(/(\d+)\)/y)?.[1];
    const name = number ?? this.#groupName(')', position);
    const group = number === undefined ? this.#names.get(name) : Number(number);
    if (group === undefined || group === 0 || group > this.#groups) throw this.#unknown(name, position);
    const yes = this.#sequence(flags);
    const no = this.#in.eat('|') ? this.#sequence(flags) : empty;
    if (this.#in.peek() === '|')
      throw new RegexError('conditional backref with more than two branches', `(?(${name})`, position);
    if (!this.#in.eat(')')) throw this.#unclosed('group', position);
    return { type: 'conditional', group, yes, no, position };
  }

  #groupName(end: string, position: number): string {
    const match = this.#in.take(/[\p{L}_][\p{L}\p{N}_]*/uy);
    if (!match || !this.#in.eat(end))
      throw new RegexError('bad character in group name', this.#in.slice(position, position + 12), position);
    return match[0];
  }

  #checkReference(group: number, text: string, position: number): void {
    if (group > this.#groups) throw new RegexError(`invalid group reference ${group}`, text, position);
    if (this.#open.has(group)) throw new RegexError('cannot refer to an open group', text, position);
  }

  #unknown(name: string, position: number): RegexError {
    return new RegexError(`unknown group name '${name}'`, name, position);
  }

  #unclosed(what: string, position: number): RegexError {
    return new RegexError(
      `missing ), unterminated ${what}`,
      this.#in.slice(position, position + 12),
      position,
    );
  }
}

/** Larger counts would make compiled code of unreasonable size. */
const maxCount = 10_000;
