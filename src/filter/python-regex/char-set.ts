import type { Fold, SetItem } from './syntax.ts';

/** Sorted, disjoint ranges of UTF-16 units, both ends included. */
export type CharSet = readonly (readonly [from: number, to: number])[];

/**
 * Which characters can occur in the text. Against pure ASCII text, classes and case folding shrink to their ASCII part,
 * which is smaller, faster, and easier on V8's linear engine.
 */
export type Alphabet = 'ascii' | 'unicode';

const highest = { ascii: 0x7f, unicode: 0xffff } as const;

/** Brings ranges into order and joins those that touch. */
export function normalized(ranges: CharSet): CharSet {
  const result: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

export function complement(set: CharSet): CharSet {
  const result: [number, number][] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) result.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= 0xffff) result.push([next, 0xffff]);
  return result;
}

export function restricted(set: CharSet, alphabet: Alphabet): CharSet {
  const top = highest[alphabet];
  return set.filter(([from]) => from <= top).map(([from, to]) => [from, Math.min(to, top)]);
}

const asciiClasses = {
  digit: [[0x30, 0x39]],
  space: [
    [9, 13],
    [32, 32],
  ],
  word: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
} as const satisfies Record<string, CharSet>;

/** str.isspace(): JavaScript's white space, without U+FEFF, with the separators U+001C–U+001F and U+0085. */
const unicodeMembers = {
  digit: /\p{Nd}+/gu,
  space: /(?:[\x1c-\x1f\x85]|(?!\ufeff)\s)+/gu,
  word: /[\p{L}\p{N}_]+/gu,
} as const;

const unicodeClasses = {
  digit: once(() => scan(unicodeMembers.digit)),
  space: once(() => scan(unicodeMembers.space)),
  word: once(() => scan(unicodeMembers.word)),
};

/** What `\d`, `\s`, `\w` match in Python's str patterns. */
export function classSet(name: keyof typeof unicodeMembers, ascii: boolean): CharSet {
  return ascii ? asciiClasses[name] : unicodeClasses[name]();
}

/** A table of Unicode facts, read when it is first needed. */
function once<Table>(read: () => Table): () => Table {
  let table: Table | undefined;
  return () => (table ??= read());
}

/** @param members a run of them */
function scan(members: RegExp): CharSet {
  const runs = [...everyUnit().matchAll(members)];
  return normalized(runs.map(([run]) => [run.charCodeAt(0), run.charCodeAt(run.length - 1)]));
}

/** All UTF-16 units in their order; without surrogates, as pairs would be one character. */
const everyUnit = once(() => {
  const units = new Uint16Array(0x10000);
  let count = 0;
  for (let code = 0; code < units.length; code += 1)
    if (code < 0xd800 || code > 0xdfff) units[count++] = code;
  return Buffer.from(units.buffer, 0, 2 * count).toString('utf16le');
});

/**
 * The characters of an alphabet that the members of a set stand for, case folding included, negation not. Those of ASCII are
 * told without the large tables of Unicode, which take some 10 ms to make.
 */
export function itemsSet(items: readonly SetItem[], fold: Fold, alphabet: Alphabet): CharSet {
  return alphabet === 'ascii' ? asciiItemsSet(items, fold) : unicodeItemsSet(items, fold);
}

function asciiItemsSet(items: readonly SetItem[], fold: Fold): CharSet {
  const ranges = items.flatMap((item): CharSet => {
    if (item.kind === 'range') return [[item.from, item.to]];
    const separated = item.class === 'space' && !item.ascii ? separators : [];
    const set = normalized([...asciiClasses[item.class], ...separated]);
    if (!item.negated) return set;
    // The letters beyond ASCII are in every complement but that of all word characters.
    return restricted(complement(set), item.class === 'word' && !item.ascii ? 'ascii' : 'unicode');
  });
  const cased = fold === 'none' ? [] : ranges.flatMap((range) => asciiVariants(range, fold));
  return restricted(normalized([...ranges, ...cased]), 'ascii');
}

/** What white space Python has in ASCII beside JavaScript's. */
const separators: CharSet = [[0x1c, 0x1f]];

const caseStep = 0x20;

/** The ASCII letters whose other case is in a range. */
function asciiVariants([from, to]: CharSet[number], fold: Fold): CharSet {
  const variants: [number, number][] = [
    [Math.max(from, 0x41) + caseStep, Math.min(to, 0x5a) + caseStep],
    [Math.max(from, 0x61) - caseStep, Math.min(to, 0x7a) - caseStep],
  ];
  if (fold === 'unicode' && to > 0x7f)
    for (const [code, lower] of beyondAscii)
      if (code >= from && code <= to) variants.push([lower, lower], [lower - caseStep, lower - caseStep]);
  return variants.filter(([first, last]) => first <= last);
}

/** Letters beyond ASCII that are an ASCII one but for the case: dotted and dotless i, long s, the Kelvin sign. */
const beyondAscii: readonly (readonly [number, number])[] = [
  [0x130, 0x69],
  [0x131, 0x69],
  [0x17f, 0x73],
  [0x212a, 0x6b],
];

function unicodeItemsSet(items: readonly SetItem[], fold: Fold): CharSet {
  const [only, ...more] = items;
  // The classes hold both cases of their letters, and are in order.
  if (only?.kind === 'class' && more.length === 0 && !only.ascii)
    return only.negated ? complement(classSet(only.class, false)) : classSet(only.class, false);
  const ranges = items.flatMap((item): CharSet => {
    if (item.kind === 'range') return item.from > 0xffff ? [] : [[item.from, Math.min(item.to, 0xffff)]];
    const set = classSet(item.class, item.ascii);
    return item.negated ? complement(set) : set;
  });
  const set = normalized(ranges);
  return fold === 'none' ? set : folded(set, fold);
}

/**
 * A set closed under case, as Python's IGNORECASE compares: by lower case, and among lower-case letters by a common
 * upper case (so `ı` and `i`, `ſ` and `s`, `µ` and `μ` are the same).
 */
function folded(set: CharSet, fold: Fold): CharSet {
  const extra: [number, number][] = [];
  const add = (code: number, variants: readonly number[]): void => {
    for (const variant of variants)
      if (fold === 'unicode' || Math.max(code, variant) < 0x80) extra.push([variant, variant]);
  };
  const known = caseVariants();
  for (const [from, to] of set) {
    if (to - from > known.size) {
      for (const [code, variants] of known) if (code >= from && code <= to) add(code, variants);
    } else for (let code = from; code <= to; code += 1) add(code, known.get(code) ?? []);
  }
  return normalized([...set, ...extra]);
}

const caseVariants = once((): ReadonlyMap<number, readonly number[]> => {
  const byKey = new Map<string, number[]>();
  for (const [char] of everyUnit().matchAll(/\p{Changes_When_Casemapped}/gu)) {
    const code = char.charCodeAt(0);
    // The dotted capital I has a lower case of two characters; Python takes its first.
    const lower = char.toLowerCase()[0]!;
    const upper = lower.toUpperCase();
    const key = upper.length === 1 ? upper : lower;
    const group = byKey.get(key);
    if (group) group.push(code);
    else byKey.set(key, [code]);
  }
  const variants = new Map<number, number[]>();
  for (const group of byKey.values())
    if (group.length > 1) for (const code of group) variants.set(code, group);
  return variants;
});

/** A set as a JavaScript character class. */
export function classSource(set: CharSet, negated: boolean): string {
  if (set.length === 0) return negated ? '[^]' : '[]';
  const body = set.map(([from, to]) => {
    if (from === to) return escapeUnit(from);
    return `${escapeUnit(from)}${to > from + 1 ? '-' : ''}${escapeUnit(to)}`;
  });
  return `[${negated ? '^' : ''}${body.join('')}]`;
}

/** The class of Python's `\w`. */
export const wordSource = once(() => classSource(classSet('word', false), false));

/** A UTF-16 unit, for use inside and outside of classes. */
export function escapeUnit(unit: number): string {
  if (unit < 0x20 || unit > 0x7e) return `\\u${unit.toString(16).padStart(4, '0')}`;
  const char = String.fromCharCode(unit);
  return /[\w ]/.test(char) ? char : `\\${char}`;
}
