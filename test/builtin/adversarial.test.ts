import { beforeAll, describe, expect, it } from 'vitest';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { compileFilter, type Filter } from '../../src/filter/filter.ts';
import type { FilterSpec } from '../../src/filter/spec.ts';
import type { LogLine } from '../../src/sources/log-line.ts';
import { readSamples } from '../conformance/sample-log.ts';
import { runsIn } from '../filter/hostile-lines.ts';
import { builtinFilter, filterNames, modesOf, samplesDir } from './builtin-filters.ts';

/**
 * Milliseconds. A line is to cost 50 at most on a quiet machine; on a busy one the same work was measured at 59. An
 * expression that backtracks out of hand costs seconds.
 */
const budget = 200;
const now = Date.parse('2026-11-22T13:44:53Z');

// As the daemon does at its start.
beforeAll(boundBacktracking);

describe.each(filterNames)('no line of 70,000 characters costs %s more than its budget', (name) => {
  it.each(modesOf(name))(
    'mode %s',
    async (mode) => {
      const spec = builtinFilter(name, new Map([['mode', mode]]));
      const slow: string[] = [];
      let filter = compileFilter(spec);
      for (const [count, line] of [...new Set((await examples(name, spec)).flatMap(runsIn))].entries()) {
        // After some slow lines a filter takes another engine: most lines must meet one that hasn't.
        if (count % 10 === 0) filter = compileFilter(spec);
        for (const delivered of deliveries(line)) {
          const cost = costOf(filter, delivered);
          // A garbage collection may have come in between.
          if (
            cost > budget &&
            Math.min(costOf(compileFilter(spec), delivered), costOf(compileFilter(spec), delivered)) > budget
          )
            slow.push(
              `${Math.round(cost)} ms: ${delivered.text.slice(0, 200)} … ${delivered.text.slice(-200)}`,
            );
        }
      }
      expect(slow).toEqual([]);
    },
    120_000,
  );
});

/** A line for each failregex. */
async function examples(name: string, spec: FilterSpec): Promise<string[]> {
  const filter = compileFilter(spec, { explain: true });
  const byRegex = new Map<number, string>();
  for (const { text } of await readSamples(samplesDir, name)) {
    const [hit] = filter.examine({ text, time: undefined, dateRemoved: false }, now).hits;
    if (hit && !byRegex.has(hit.regex)) byRegex.set(hit.regex, text);
  }
  expect([...byRegex.keys()].toSorted((a, b) => a - b)).toEqual(spec.failregex.map((_, i) => i));
  return [...byRegex.values()];
}

function deliveries(text: string): LogLine[] {
  return [
    { text, time: undefined, dateRemoved: false },
    { text: ` host web[12]: ${text}`, time: now, dateRemoved: true },
  ];
}

/** Milliseconds of this thread's own work: other tests may keep the machine busy. */
function costOf(filter: Filter, line: LogLine): number {
  const before = process.threadCpuUsage();
  filter.process(line, now);
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
