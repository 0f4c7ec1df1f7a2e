import { describe, expect, it } from 'vitest';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { SharedDates } from '../../src/filter/shared-dates.ts';
import { fail2banTree } from './fail2ban-tree.ts';
import { sampleFilters } from './sample-filters.ts';
import { readSamples } from './sample-log.ts';

process.env['TZ'] = 'Europe/Berlin';
const tree = await fail2banTree();
const filters = await sampleFilters(tree);

describe('what makes a filter quick changes nothing of what it finds', () => {
  it.each(filters.names)('%s', async (name) => {
    boundBacktracking();
    const samples = await readSamples(tree.samples, name);
    const runs = new Map(samples.flatMap((sample) => sample.runs.map((run) => [run.name, run])));
    // Innocent lines of another kind between them, as in a real log.
    const others = (await readSamples(tree.samples, name === 'sshd' ? 'postfix' : 'sshd')).slice(0, 40);
    const texts = samples.flatMap(({ text }, i) => [text, others[i % others.length]!.text, text.slice(20)]);
    for (const { options } of runs.values()) {
      const spec = filters.spec(name, options);
      for (const now of [1_124_013_600_000, Date.now()]) {
        for (const dateRemoved of [false, true]) {
          const sharedDates = new SharedDates();
          const quick = compileFilter(spec, { sharedDates });
          const neighbour = compileFilter(filters.spec('sshd', new Map()), { sharedDates });
          const thorough = compileFilter(spec);
          for (const text of texts) {
            const line = { text, time: dateRemoved ? now : undefined, dateRemoved };
            if (text.length % 2 === 0) neighbour.process(line, now);
            const found = quick.process(line, now).map(({ id, time, lines }) => ({ id, time, lines }));
            const expected = thorough
              .examine(line, now)
              .findings.filter(({ id, counts }) => counts && id !== undefined)
              .map((finding) => ({
                id: finding.id,
                time: finding.time,
                lines: finding.lines.map(({ logged }) => logged),
              }));
            expect(found, text).toEqual(expected);
          }
        }
      }
    }
  });
});
