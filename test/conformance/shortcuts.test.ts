import { describe, expect, it } from 'vitest';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { BlockMatcher } from '../../src/filter/block-matcher.ts';
import type { Failure } from '../../src/filter/failure.ts';
import type { FilterSpec } from '../../src/filter/spec.ts';
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
          const quick = compileFilter(spec);
          const thorough = compileFilter(spec);
          const all: Found[] = [];
          for (const text of texts) {
            const line = { text, time: dateRemoved ? now : undefined, dateRemoved };
            const found = quick.process(line, now).map(({ id, time, lines }) => ({ id, time, lines }));
            const expected = thorough
              .examine(line, now)
              .findings.filter(({ id, counts }) => counts && id !== undefined)
              .map((finding) => ({
                id: finding.id!,
                time: finding.time,
                lines: finding.lines.map(({ logged }) => logged),
              }));
            expect(found, text).toEqual(expected);
            all.push(...expected);
          }
          if (!dateRemoved) expect(foundInBlocks(spec, texts, now)).toEqual(all);
        }
      }
    }
  });
});

type Found = Pick<Failure, 'id' | 'time' | 'lines'>;

/** What is found where many lines are searched at once, beside another filter. */
function foundInBlocks(spec: FilterSpec, texts: readonly string[], now: number): Found[] {
  const neighbour = compileFilter(filters.spec('sshd', new Map()));
  const matcher = new BlockMatcher([neighbour, compileFilter(spec)]);
  const found: Found[] = [];
  for (let from = 0, count = 1; from < texts.length; from += count, count = (count * 7) % 31) {
    const block = texts.slice(from, from + count).map((text) => `${text}\n`);
    matcher.match(Buffer.from(block.join('')), now, true, (index, failures) => {
      if (index === 1) found.push(...failures.map(({ id, time, lines }) => ({ id, time, lines })));
    });
  }
  return found;
}
