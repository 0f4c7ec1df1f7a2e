import type { FilterSpec } from '../../filter/spec.ts';
import { resolveTags } from '../../filter/tags.ts';
import { pythonRepr } from '../python-repr.ts';
import type { RegexOptions } from './options.ts';
import { fewLines, type LineKind, type RegexHits, type Tally } from './tally.ts';

/** fail2ban-regex's sections from `Results` on. */
export function reportText(tally: Tally, spec: FilterSpec, options: RegexOptions, seconds: number): string {
  const { tested, counts } = tally;
  const kinds = (['matched', 'ignored', 'missed'] as const).filter((kind) => options.lists[kind] !== 'none');
  return [
    '',
    'Results',
    '=======',
    ...prefixSection(tally, spec, options),
    ...regexSection('Failregex', tally.failregex, options),
    ...regexSection('Ignoreregex', tally.ignoreregex, options),
    ...dateSection(tally, options),
    '',
    `Lines: ${tested} lines, ${counts.ignored} ignored, ${counts.matched} matched, ${counts.missed} missed`,
    `[processed in ${seconds.toFixed(2)} sec]`,
    '',
    ...kinds.flatMap((kind) => lineSection(tally, kind, options)),
    '',
  ].join('\n');
}

/** The same for machines. Times are ISO 8601. */
export function reportJson(tally: Tally, spec: FilterSpec, options: RegexOptions): string {
  const { counts } = tally;
  const shown = (regexes: readonly RegexHits[]) =>
    regexes.map(({ regex, hits, addresses }) => ({
      regex,
      hits,
      ...(options.verbose > 0 && {
        addresses: addresses.map(({ id, time }) => ({ id: id ?? null, time: new Date(time).toISOString() })),
      }),
    }));
  const kinds = (['matched', 'ignored', 'missed'] as const).filter((kind) => options.lists[kind] !== 'none');
  const report = {
    filter: spec.name,
    lines: { tested: tally.tested, ...counts },
    ...(spec.prefregex !== undefined && { prefregex: { regex: spec.prefregex, hits: tally.prefixHits } }),
    failregex: shown(tally.failregex),
    ignoreregex: shown(tally.ignoreregex),
    dates: tally.dates.filter(({ hits }) => hits > 0).map(({ name, hits }) => ({ name, hits })),
    ...Object.fromEntries(
      kinds.map((kind) => [
        kind,
        tally.lines[kind].slice(0, options.lists[kind] === 'all' ? undefined : fewLines),
      ]),
    ),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function prefixSection(tally: Tally, { prefregex, usedns }: FilterSpec, { verbose }: RegexOptions): string[] {
  if (prefregex === undefined) return [];
  const captures = tally.prefixes.slice(0, fewLines).map((groups) => `    ${pythonRepr(groups)}`);
  const more = tally.prefixes.length > fewLines ? ['    ...'] : [];
  return [
    '',
    `Prefregex: ${tally.prefixHits} total`,
    ...list([resolveTags(prefregex, usedns !== 'no').source, ...(verbose > 0 ? [...captures, ...more] : [])]),
  ];
}

function regexSection(title: string, regexes: readonly RegexHits[], { verbose }: RegexOptions): string[] {
  const total = regexes.reduce((sum, { hits }) => sum + hits, 0);
  const rows = regexes.flatMap(({ regex, hits, addresses }, index) => {
    if (hits === 0 && verbose === 0) return [];
    const found = addresses.map(
      ({ id, time, several }) =>
        `    ${id ?? 'None'}  ${asctime(new Date(time))}${several ? ' (multiple regex matched)' : ''}`,
    );
    return [`${String(index + 1).padStart(2)}) [${hits}] ${regex}`, ...found];
  });
  return ['', `${title}: ${total} total`, ...list(rows, ' #) [# of hits] regular expression')];
}

function dateSection(tally: Tally, { verbose, verboseDate }: RegexOptions): string[] {
  const rows = tally.dates
    .filter(({ hits }) => hits > 0 || verbose > 0)
    .flatMap(({ name, hits, pattern, expression, weight, ownWeight }) => [
      `[${hits}] ${name}`,
      ...(verboseDate
        ? [
            `    # weight: ${weight.toFixed(3)} (${ownWeight.toFixed(3)}), pattern: ${pattern ?? ''}`,
            `    # regex:   ${expression}`,
          ]
        : []),
    ]);
  return ['', 'Date template hits:', ...list(rows, '[# of hits] date format')];
}

function lineSection(tally: Tally, kind: LineKind, options: RegexOptions): string[] {
  const count = tally.counts[kind];
  if (count === 0) return [];
  const header = `${kind.charAt(0).toUpperCase()}${kind.slice(1)} line(s):`;
  if (count >= fewLines && options.lists[kind] !== 'all')
    return [`${header} too many to print.  Use --print-all-${kind} to print all ${count} lines`];
  return list(
    tally.lines[kind].map((line) => line.trimEnd()),
    header,
  );
}

function list(rows: readonly string[], header?: string): string[] {
  if (rows.length === 0) return [];
  return [...(header === undefined ? [] : [`|- ${header}`]), ...rows.map((row) => `|  ${row}`), '`-'];
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Sun Nov 22 13:44:53 2026`, local time, as C's asctime has it but for the day of the month: `01`. */
function asctime(at: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${days[at.getDay()]} ${months[at.getMonth()]} ${two(at.getDate())} ${time} ${at.getFullYear()}`;
}
