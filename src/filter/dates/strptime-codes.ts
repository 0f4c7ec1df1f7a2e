const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const months = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

/** English names, as logs have them; full and abbreviated, in order. */
export const dayNames = { full: days, short: days.map((name) => name.slice(0, 3)) };
export const monthNames = { full: months, short: months.map((name) => name.slice(0, 3)) };

const field = (name: string, body: string): string => `(?P<${name}>${body})`;
const zone = '[A-Z](?:[A-Z]{2,4})?';
const offset = String.raw`[+-][01]\d(?::?\d{2})?`;

const day = '[1-2]\\d|[0 ]?[1-9]|3[0-1]';
const month = '0?[1-9]|1[0-2]';
const hour = String.raw`[0-1]?\d|2[0-3]`;
const minute = String.raw`[0-5]?\d`;
const second = String.raw`[0-5]?\d|6[0-1]`;
const week = String.raw`5[0-3]|[0-4]\d|\d`;

/** The expression and the name of each code: `strptime`'s, and fail2ban's own `%k`, `%l` and stricter `%Ex…`. */
const codes: Readonly<Record<string, readonly [expression: string, name: string]>> = {
  a: [field('a', dayNames.short.join('|')), 'DAY'],
  A: [field('A', dayNames.full.join('|')), 'DAYNAME'],
  b: [field('b', monthNames.short.join('|')), 'MON'],
  B: [field('B', monthNames.full.join('|')), 'MONTH'],
  d: [field('d', day), 'Day'],
  f: [field('f', '[0-9]{1,6}'), 'Microseconds'],
  G: [field('G', String.raw`\d\d\d\d`), '%G'],
  H: [field('H', hour), '24hour'],
  I: [field('I', '1[0-2]|0[1-9]|[1-9]'), '12hour'],
  j: [field('j', String.raw`36[0-6]|3[0-5]\d|[1-2]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9]`), 'Yearday'],
  k: [` ?${field('H', String.raw`[0-2]?\d`)}`, '%k'],
  l: [` ?${field('I', String.raw`1?\d`)}`, '%l'],
  m: [field('m', month), 'Month'],
  M: [field('M', minute), 'Minute'],
  p: [field('p', 'am|pm'), 'AMPM'],
  S: [field('S', second), 'Second'],
  u: [field('u', '[1-7]'), '%u'],
  U: [field('U', week), 'Yearweek'],
  V: [field('V', String.raw`5[0-3]|0[1-9]|[1-4]\d|\d`), '%V'],
  w: [field('w', '[0-6]'), 'Weekday'],
  W: [field('W', week), 'Yearweek'],
  y: [field('y', String.raw`\d\d`), 'Year2'],
  Y: [field('Y', String.raw`\d{4}`), 'Year'],
  z: [field('z', `Z|UTC|GMT|${offset}`), 'Zone offset'],
  Z: [field('Z', 'Z|[A-Z]{3,5}'), 'Zone name'],
  Exd: [field('d', '[1-2]\\d|0[1-9]|3[0-1]'), 'ExDay'],
  Exm: [field('m', '0[1-9]|1[0-2]'), 'ExMonth'],
  ExH: [field('H', String.raw`[0-1]\d|2[0-3]`), 'Ex24hour'],
  Exk: [` ?${field('H', hour)}`, 'Ex%k'],
  Exl: [` ?${field('I', String.raw`1[0-2]|\d`)}`, '%Exl'],
  ExM: [field('M', String.raw`[0-5]\d`), 'ExMinute'],
  ExS: [field('S', String.raw`[0-5]\d|6[0-1]`), 'ExSecond'],
  Exy: [field('y', String.raw`\d{2}`), 'ExYear2'],
  Exz: [field('z', `(?:${zone})?${offset}|${zone}`), 'ExZone offset'],
  ExZ: [field('Z', zone), 'ExZone name'],
  '%': ['%', '%'],
};

const date = '%m/%d/%y';
const time = '%H:%M:%S';
const combined: Readonly<Record<string, string>> = {
  c: String.raw`%a\s+%b\s+%d\s+${time}\s+%Y`,
  x: date,
  X: time,
};

/**
 * Replaces the codes of a date pattern by the expressions that they stand for.
 * @param thisYear `%ExY` takes the years from 2000 to the end of the decade that lies three years ahead
 * @returns the expression, and the pattern's name with a word for each code; undefined if a `%` introduces none
 */
export function expandCodes(
  pattern: string,
  thisYear: number,
): { expression: string; name: string } | undefined {
  const flat = pattern.replace(/%(%|[cxX])/g, (text, code: string) => combined[code] ?? text);
  let unknown = false;
  const expand = (source: string, part: 0 | 1): string =>
    source.replace(/%(Ex[a-zA-Z]|.|$)/gs, (text, code: string) => {
      if (code === 'ExY') return part === 0 ? field('Y', `${decades(thisYear)}\\d`) : 'ExYear';
      const entry = codes[code];
      if (!entry) unknown = true;
      return entry?.[part] ?? text;
    });
  const result = {
    expression: expand(flat, 0),
    name: expand(
      pattern.replace(/%(%|[cxX])/g, (text, code: string) => (code === '%' ? text : `%%${code}`)),
      1,
    ),
  };
  return unknown ? undefined : result;
}

/** An expression for the first three digits of the years from 2000 on. */
function decades(thisYear: number): string {
  const last = Math.min(209, Math.max(200, Math.floor((thisYear + 3) / 10)));
  return `20[0-${last - 200}]`;
}
