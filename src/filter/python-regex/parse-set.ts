import type { Scanner } from './scanner.ts';
import { RegexError, type SetItem } from './syntax.ts';

const controls: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 };
const classes = { d: 'digit', s: 'space', w: 'word' } as const;

/** Parses `[…]`; the scanner stands on the bracket. */
export function parseSet(text: Scanner, ascii: boolean): { items: SetItem[]; negated: boolean } {
  const start = text.position;
  const unclosed = (): RegexError =>
    new RegexError('unterminated character set', text.slice(start, start + 12), start);
  text.eat('[');
  const negated = text.eat('^');
  const items: SetItem[] = [];
  for (let first = true; ; first = false) {
    if (text.done) throw unclosed();
    if (!first && text.eat(']')) return { items, negated };
    const position = text.position;
    const from = member(text, ascii);
    if (!text.take(/-(?!\])/y)) {
      items.push(from);
      continue;
    }
    if (text.done) throw unclosed();
    const to = member(text, ascii);
    if (from.kind === 'class' || to.kind === 'class' || to.to < from.from)
      throw new RegexError('bad character range', text.slice(position, text.position), position);
    items.push({ kind: 'range', from: from.from, to: to.to });
  }
}

function member(text: Scanner, ascii: boolean): SetItem {
  if (text.peek() === '\\') return parseEscape(text, ascii, true);
  const code = text.next();
  return { kind: 'range', from: code, to: code };
}

/** Parses an escape that stands for a character or a class of them; the scanner stands on the backslash. */
export function parseEscape(text: Scanner, ascii: boolean, inSet: boolean): SetItem {
  const position = text.position;
  const bad = (why = 'bad escape'): RegexError =>
    new RegexError(why, text.slice(position, position + 2), position);
  const literal = (code: number): SetItem => ({ kind: 'range', from: code, to: code });
  text.eat('\\');
  const name = text.peek();
  if (name === '') throw bad('bad escape (end of pattern)');
  const lower = name.toLowerCase();
  const kind = lower === 'd' || lower === 's' || lower === 'w' ? classes[lower] : undefined;
  if (kind) {
    text.next();
    return { kind: 'class', class: kind, negated: name !== lower, ascii };
  }
  const hex = text.take(/x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})/iy);
  if (hex) {
    const code = Number.parseInt(hex[1] ?? hex[2] ?? hex[3]!, 16);
    if (code > 0x10ffff) throw bad();
    return literal(code);
  }
  const octal = text.take(inSet ? /[0-7]{1,3}/y : /0[0-7]{0,2}|[0-7]{3}/y);
  if (octal) {
    const code = Number.parseInt(octal[0], 8);
    if (code > 0o377) throw bad('octal escape value outside of range 0-0o377');
    return literal(code);
  }
  if (name in controls && (inSet || name !== 'b')) {
    text.next();
    return literal(controls[name]!);
  }
  if (/[\da-z]/i.test(name)) throw bad();
  return literal(text.next());
}
