import { Dock2banError } from '../../errors.ts';
import { expandCodes } from './strptime-codes.ts';
import { createTemplate, fieldsTime, lineBegins, type DateTemplate } from './template.ts';

const unbound = '{UNB}';
const epochPlace = /(?<!\\)\{L?EPOCH\}/gi;

/**
 * The template of one line of a `datepattern`: strptime codes in a regular expression, `Epoch`, `LEPOCH`, `TAI64N`,
 * `…{EPOCH}…`, with `{^LN-BEG}` or `{UNB}` in front.
 * @param foreign whether somebody else than us wrote it
 * @throws Dock2banError `datepattern` for a `%` that introduces no code
 */
export function parsePattern(pattern: string, thisYear: number, foreign = true): DateTemplate {
  const key = pattern.includes('%') ? pattern : pattern.toUpperCase();
  if (pattern.search(epochPlace) >= 0) return embeddedEpoch(pattern, key.includes('LEPOCH'));
  switch (key) {
    case 'EPOCH':
      return anyEpoch(false);
    case 'LEPOCH':
      return anyEpoch(true);
    case `${lineBegins}EPOCH`:
    case '^EPOCH':
      return leadingEpoch(false);
    case `${lineBegins}LEPOCH`:
    case '^LEPOCH':
      return leadingEpoch(true);
    case 'TAI64N':
      return tai64n('end-of-word');
    case `${lineBegins}TAI64N`:
    case '^TAI64N':
      return tai64n('line-begin');
    default:
      return datePattern(pattern, thisYear, foreign);
  }
}

/** A pattern without the boundaries that it was marked with, for use inside of another. */
export function withoutBounds(pattern: string): string {
  return pattern
    .replace(/^\{UNB\}/, '')
    .replace(/^\{\^LN-BEG\}/, '')
    .replace(/^\((?:\?:)?\^\|\\b\|\\W\)/, '')
    .replace(/\(\?=\\b\|\\W\|\$\)$/, '');
}

function datePattern(pattern: string, thisYear: number, foreign: boolean): DateTemplate {
  const free = pattern.startsWith(unbound);
  const rest = free ? pattern.slice(unbound.length) : pattern;
  const begin = !free && rest.startsWith(lineBegins);
  const body = begin ? rest.slice(lineBegins.length) : rest;
  const expanded = expandCodes(body, thisYear);
  if (!expanded)
    throw new Dock2banError(
      'datepattern',
      `datepattern ${pattern} has a % that introduces no strptime code`,
      {
        fix: 'a literal percent sign is %%',
      },
    );
  const letters = /(?<!%)%[aAbBpc]/.test(body);
  return createTemplate({
    name: expanded.name,
    pattern,
    expression: letters ? `(?iu)${expanded.expression}` : expanded.expression,
    boundary: free ? 'none' : begin ? 'line-begin' : 'word',
    foreign,
    time: fieldsTime,
  });
}

const seconds = String.raw`\d{10,11}\b(?:\.\d{3,6})?`;
const longSeconds = String.raw`\d{10,11}(?:\d{3}(?:\.\d{1,6}|\d{3})?)?`;

/** Seconds since 1970 at the begin of a line, in brackets there, or in an audit record. */
function anyEpoch(long: boolean): DateTemplate {
  return createTemplate({
    name: long ? 'LongEpoch' : 'Epoch',
    pattern: undefined,
    expression: String.raw`((?:^|(?P<square>(?<=^\[))|(?P<selinux>(?<=\baudit\()))${long ? longSeconds : seconds})(?:(?(selinux)(?=:\d+\)))|(?(square)(?=\])))`,
    boundary: 'end-of-word',
    foreign: false,
    time: epochTime(1, long),
  });
}

function leadingEpoch(long: boolean): DateTemplate {
  return createTemplate({
    name: long ? 'LongEpoch' : 'Epoch',
    pattern: undefined,
    expression: String.raw`((?P<square>(?<=^\[))?${long ? longSeconds : seconds})(?(square)(?=\]))`,
    boundary: 'line-begin',
    foreign: false,
    time: epochTime(1, long),
  });
}

function embeddedEpoch(pattern: string, long: boolean): DateTemplate {
  return createTemplate({
    name: pattern,
    pattern: undefined,
    expression: `(${pattern.replace(epochPlace, () => `(${long ? longSeconds : seconds})`)})`,
    boundary: 'word',
    foreign: true,
    time: epochTime(2, long),
  });
}

/** The long form takes 13 digits for milliseconds, 16 for microseconds. */
function epochTime(group: number, long: boolean): DateTemplate['time'] {
  return (match, line) => {
    const span = match.span(group);
    if (!span) return undefined;
    const text = line.slice(...span);
    if (!long || text.length < 13) return Number(text) * 1000;
    return text.length >= 16 && !text.includes('.') ? Number(text) / 1000 : Number(text);
  };
}

/** `@` and 24 hexadecimal digits: https://cr.yp.to/libtai/tai64.html. fail2ban ignores leap seconds and fractions. */
function tai64n(boundary: 'end-of-word' | 'line-begin'): DateTemplate {
  return createTemplate({
    name: 'TAI64N',
    pattern: undefined,
    expression: '@[0-9a-f]{24}',
    boundary,
    foreign: false,
    time: (match, line) => {
      const [start] = match.span(1) ?? [0];
      return Number.parseInt(line.slice(start + 2, start + 17), 16) * 1000;
    },
  });
}
