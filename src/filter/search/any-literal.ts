import { escapeUnit } from '../python-regex/char-set.ts';

/** An expression that finds any of some strings in a text, for one search in place of one for each. */
export function anyLiteral(literals: Iterable<string>): RegExp {
  return new RegExp([...literals].map(source).join('|'));
}

function source(text: string): string {
  return Array.from({ length: text.length }, (_, i) => escapeUnit(text.charCodeAt(i))).join('');
}
