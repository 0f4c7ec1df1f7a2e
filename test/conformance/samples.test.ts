import { afterAll, describe, expect, it } from 'vitest';
import { canonicalAddress } from '../../src/net/address.ts';
import { compileFilter, type Filter } from '../../src/filter/filter.ts';
import type { Hit } from '../../src/filter/hit.ts';
import { fail2banTree } from './fail2ban-tree.ts';
import { sampleFilters } from './sample-filters.ts';
import { readSamples, type Expected, type Run, type Sample } from './sample-log.ts';

// fail2ban's tests run at this moment, in this zone.
const now = 1_124_013_600_000;
process.env['TZ'] = 'Europe/Berlin';

const tree = await fail2banTree();
const filters = await sampleFilters(tree);
const tally = { passed: 0, failed: 0 };

describe('fail2ban’s sample logs give the results that its tests demand', () => {
  afterAll(() => {
    console.log(`${tally.passed} passed, ${tally.failed} failed`);
  });

  it.each(filters.names)('%s', async (name) => {
    const compiled = new Map<string, Filter>();
    const filterOf = (run: Run): Filter => {
      const filter =
        compiled.get(run.name) ?? compileFilter(filters.spec(name, run.options), { explain: true });
      compiled.set(run.name, filter);
      return filter;
    };
    const complaints: string[] = [];
    for (const sample of await readSamples(tree.samples, name)) {
      const wrong = check(sample, filterOf);
      complaints.push(...wrong);
      if (wrong.length > 0) tally.failed += 1;
      else if (sample.expected) tally.passed += 1;
    }
    expect(complaints.join('\n')).toBe('');
  });
});

function check(sample: Sample, filterOf: (run: Run) => Filter): string[] {
  let text = sample.text;
  return sample.runs.flatMap((run) => {
    // In fail2ban's loop a prefix stays for the runs that follow.
    text = run.prefix + text;
    const line = run.journal
      ? { text, time: now, dateRemoved: true }
      : { text, time: undefined, dateRemoved: false };
    const { hits } = filterOf(run).examine(line, now);
    const wrong = complaint(
      sample.expected,
      hits.filter(({ counts, id }) => counts && id !== undefined),
    );
    return wrong === undefined ? [] : [`${sample.at} ${run.name}: ${wrong}: ${text}`];
  });
}

function complaint(expected: Expected | undefined, found: readonly Hit[]): string | undefined {
  const [hit] = found;
  if (!hit) return expected?.match ? 'not matched when it should' : undefined;
  if (!expected?.match) return `matched by failregex ${hit.regex} when it should not`;
  if (found.length > 1) return `matched by failregexes ${found.map(({ regex }) => regex).join(', ')}`;
  for (const [key, value] of Object.entries(expected)) {
    if (['match', 'desc', 'constraint', 'time'].includes(key)) continue;
    const actual = valueOf(hit, key);
    if (!same(actual, value)) return `${key} is ${JSON.stringify(actual)}, not ${JSON.stringify(value)}`;
  }
  if (expected.time && hit.time !== localTime(expected.time))
    return `the time is ${new Date(hit.time).toISOString()}, not ${expected.time} here`;
  return undefined;
}

/** Of a local time as Python's strptime takes it, digits missing here and there. */
function localTime(text: string): number {
  const [year, month, ...rest] = text.split(/[-T:]/).map(Number);
  const [day = 1, hours = 0, minutes = 0, seconds = 0] = rest;
  return new Date(year!, month! - 1, day, hours, minutes, 0).getTime() + seconds * 1000;
}

function valueOf(hit: Hit, key: string): unknown {
  const field = hit.fields[key];
  if (field !== undefined) return field;
  switch (key) {
    case 'host':
      return hit.id;
    case 'ip':
      return hit.ip;
    case 'users':
      return hit.users && [...hit.users];
    case 'attempts':
      return hit.lines.length;
    default:
      return undefined;
  }
}

function same(actual: unknown, expected: unknown): boolean {
  if (actual === undefined) return expected === null;
  if (Array.isArray(expected) && Array.isArray(actual))
    return JSON.stringify(actual.map(String).toSorted()) === JSON.stringify(expected.map(String).toSorted());
  if (typeof expected === 'string')
    return actual === (canonicalAddress(expected) ?? expected) || actual === expected;
  return actual === expected;
}
