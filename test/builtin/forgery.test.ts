import { describe, expect, it } from 'vitest';
import { compileFilter } from '../../src/filter/filter.ts';
import type { LogLine } from '../../src/sources/log-line.ts';
import { readSamples } from '../conformance/sample-log.ts';
import { builtinFilter, filterNames, modesOf, samplesDir } from './builtin-filters.ts';
import { clientText } from './client-text.ts';

const now = Date.parse('2026-11-22T13:44:53Z');
const clients: ReadonlySet<string | undefined> = new Set(['192.0.2.66', '2001:db8::']);
const victim = '198.51.100.66';

it('there are lines with a client’s text for every filter', () => {
  expect(Object.keys(clientText).toSorted()).toEqual(filterNames);
});

describe.each(filterNames)('no text of a client puts another address in the place of its own: %s', (name) => {
  it.each(modesOf(name))('mode %s', async (mode) => {
    const filter = compileFilter(builtinFilter(name, new Map([['mode', mode]])), { explain: true });
    const forged = new Set<string>();
    let own = 0;
    for (const text of await payloads(name)) {
      for (const line of clientText[name]!.map((write) => write(text))) {
        for (const delivered of deliveries(line)) {
          for (const { id } of filter.examine(delivered, now).findings) {
            if (clients.has(id)) own += 1;
            else forged.add(`${id}: ${delivered.text}`);
          }
        }
      }
    }
    expect([...forged].slice(0, 5).join('\n')).toBe('');
    expect(own).toBeGreaterThan(0);
  });
});

/** Lines that the filter would count against the victim, whole and from each word on, also with a beginning made up. */
async function payloads(name: string): Promise<Set<string>> {
  const texts = new Set(['x', '-', '']);
  for (const { expected, text } of await readSamples(samplesDir, name)) {
    if (!expected?.match) continue;
    const line = text.replaceAll(String(expected['host']), victim);
    for (const header of [
      '',
      ' h t: ',
      '<30> h t[1]: ',
      'Nov 22 13:44:53 h t: ',
      '2026-11-22T13:44:53Z h t: ',
    ]) {
      texts.add(header + line);
    }
    for (const { index } of line.matchAll(/(?<=[^\w])\w|[^\w\s]/g)) {
      const rest = line.slice(index);
      if (!rest.includes(victim)) break;
      for (const lead of ['', 'x ', 'x", ', 'x>, ']) texts.add(lead + rest);
      texts.add(`x ${rest.slice(0, rest.indexOf(victim) + victim.length + 12)}`);
    }
  }
  return texts;
}

function deliveries(text: string): LogLine[] {
  return [
    { text, time: undefined, dateRemoved: false },
    { text: ` host web[12]: ${text}`, time: now, dateRemoved: true },
  ];
}
