import { expect } from 'vitest';
import { BlockMatcher } from '../../src/filter/block-matcher.ts';
import type { Failure } from '../../src/filter/failure.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import type { FilterSpec } from '../../src/filter/spec.ts';

type Found = Pick<Failure, 'id' | 'time' | 'lines'>;

/**
 * Compares what a filter finds by its quick ways, line by line and in blocks, with what it finds when it tries everything.
 * @param neighbour a filter on the same log
 * @param now epoch milliseconds
 */
export function expectQuickAsThorough(
  spec: FilterSpec,
  neighbour: FilterSpec,
  texts: readonly string[],
  now: number,
): void {
  for (const dateRemoved of [false, true]) {
    const quick = compileFilter(spec);
    const thorough = compileFilter(spec);
    const all: Found[] = [];
    for (const text of texts) {
      const line = { text, time: dateRemoved ? now : undefined, dateRemoved };
      const found = quick.process(line, now).map(({ id, time, lines }) => ({ id, time, lines }));
      const expected = thorough
        .examine(line, now)
        .hits.filter(({ id, counts }) => counts && id !== undefined)
        .map((hit) => ({
          id: hit.id!,
          time: hit.time,
          lines: hit.lines.map(({ logged }) => logged),
        }));
      expect(found, text).toEqual(expected);
      all.push(...expected);
    }
    if (!dateRemoved) expect(foundInBlocks(spec, neighbour, texts, now)).toEqual(all);
  }
}

/** What is found where many lines are searched at once, beside another filter. */
function foundInBlocks(
  spec: FilterSpec,
  neighbour: FilterSpec,
  texts: readonly string[],
  now: number,
): Found[] {
  const matcher = new BlockMatcher([compileFilter(neighbour), compileFilter(spec)]);
  const found: Found[] = [];
  for (let from = 0, count = 1; from < texts.length; from += count, count = (count * 7) % 31) {
    const block = texts.slice(from, from + count).map((text) => `${text}\n`);
    matcher.match(Buffer.from(block.join('')), { now, live: true }, (index, failures) => {
      if (index === 1) found.push(...failures.map(({ id, time, lines }) => ({ id, time, lines })));
    });
  }
  return found;
}
