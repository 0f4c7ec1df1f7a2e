import { readSamples } from '../conformance/sample-log.ts';
import { filterNames, samplesDir } from '../builtin/builtin-filters.ts';

/** Whom forged records name. */
export const victim = '198.51.100.66';

/** Characters of a text: none, and about the lengths at which something is cut or was bounded. */
export const lengths = [0, 1, 1024, 1025, 8192, 16_384, 20_000, 65_535, 65_536, 65_537, 70_000] as const;

const units = ['a', ' ', '"', '\\', ']', '> ', "' ", '[] "', '","', '\x01', '\u00e9', '%0A', '\u{1f600}'];

/** Numbers that are the same in each run; Park and Miller's. */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** Long texts: all units at each length up to 1,025, two of them above. */
export function longTexts(seed: number): string[] {
  const pick = numbers(seed);
  return lengths.flatMap((length) => {
    const some = length <= 1025 ? units : [units[0]!, units[pick(units.length)]!];
    return some.map((unit) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length));
  });
}

/** A filter's records that count against the victim. */
export async function recordsOf(name: string): Promise<string[]> {
  const samples = await readSamples(samplesDir, name);
  return samples
    .filter(({ expected }) => expected?.match)
    .map(({ text, expected }) => text.replaceAll(String(expected!['host']), victim));
}

/** Records of all filters, one of each: what a client may try on any program. */
export async function foreignRecords(): Promise<string[]> {
  return (await Promise.all(filterNames.map(recordsOf))).flatMap((records) => records.slice(0, 1));
}

const headers = [
  '',
  ' h t: ',
  'h t[1]: ',
  '<30> h t[1]: ',
  'Nov 22 13:44:53 h t: ',
  '2026-11-22T13:44:53Z h t: ',
  'nginx.1     | ',
];

/** Texts that bring a record with them: whole, from each word on, and with what may end a field in front of it. */
export function forgeries(records: readonly string[]): Set<string> {
  const texts = new Set<string>();
  for (const record of records) {
    for (const lead of headers) texts.add(lead + record);
    for (const { index } of record.matchAll(/(?<=\W)\w|[^\w\s]/g)) {
      const rest = record.slice(index);
      if (!rest.includes(victim)) break;
      for (const lead of ['', 'x ', 'x", ', 'x>, ', 'x" ', "x' "]) texts.add(lead + rest);
      texts.add(`x ${rest.slice(0, rest.indexOf(victim) + victim.length + 12)}`);
    }
  }
  return texts;
}

/** The same behind a line feed, as it is and as it is sent in a path. */
export const onItsOwnLine = (record: string): string => `x\n${record}\nz`;
export const onItsOwnLineEncoded = (record: string): string => `x%0A${record}%0Az`;
