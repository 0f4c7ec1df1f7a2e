import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CountedFailures } from '../../src/jail/failure-counter.ts';
import { FailureCounter } from '../../src/jail/failure-counter.ts';
import { LineBudget } from '../../src/jail/line-budget.ts';

const second = 1000;

/** Feeds failures of one id at the given seconds; the count after each. */
function counts(maxretry: number, findtime: number, at: readonly number[]): number[] {
  const counter = new FailureCounter({ maxretry, findtime });
  return at.map((time) => counter.add('198.51.100.66', time * second).failures);
}

describe('FailureCounter', () => {
  it('reaches maxretry within findtime and starts again from nothing', () => {
    const counter = new FailureCounter({ maxretry: 3, findtime: 600 });
    const reached = [0, 1, 2, 3].map((time) => counter.add('a', time * second).reached);
    expect(reached).toEqual([false, false, true, false]);
    expect(counter.current).toBe(1);
    expect(counter.total).toBe(4);
  });

  it.each([
    // Counts as fail2ban 1.0's FailManager gives them for the same times.
    ['inside findtime', 100, 600, [0, 100, 200, 600], [1, 2, 3, 4]],
    ['scaled to the rate once findtime is exceeded', 100, 10, [0, 5, 12], [1, 2, 3]],
    ['a long pause scales to zero', 100, 10, [0, 1, 2, 1000], [1, 2, 3, 1]],
    ['halves round to even (0.5 → 0)', 100, 10, [0, 20], [1, 1]],
    ['halves round to even (1.5 → 2)', 100, 10, [0, 1, 2, 20], [1, 2, 3, 3]],
    ['halves round to even (2.5 → 2)', 100, 10, [0, 1, 2, 3, 4, 20], [1, 2, 3, 4, 5, 3]],
    ['an older failure counts and moves nothing', 100, 10, [100, 50, 101], [1, 2, 3]],
  ])('%s', (_, maxretry, findtime, at, expected) => {
    expect(counts(maxretry, findtime, at)).toEqual(expected);
  });

  it('counts ids apart', () => {
    const counter = new FailureCounter({ maxretry: 2, findtime: 600 });
    counter.add('a', 0);
    expect(counter.add('b', 0).reached).toBe(false);
    expect(counter.add('a', 0).reached).toBe(true);
  });

  it('takes the attempts of the first report, one for each later', () => {
    const counter = new FailureCounter({ maxretry: 10, findtime: 600 });
    expect(counter.add('a', 0, 4).failures).toBe(4);
    expect(counter.add('a', 0, 4).failures).toBe(5);
  });

  it('drops an id once its newest failure is findtime old', () => {
    const counter = new FailureCounter({ maxretry: 5, findtime: 600 });
    counter.add('a', 0);
    counter.expire(599_999);
    expect(counter.current).toBe(1);
    counter.expire(600_000);
    expect(counter.current).toBe(0);
  });
});

describe('matched lines', () => {
  it('are those of all failures that led to maxretry, the newest maxmatches of them', () => {
    const counter = new FailureCounter({ maxretry: 5, findtime: 600, maxmatches: 3 });
    const tallies = [1, 2, 3, 4, 5].map((n) => counter.add('a', n * second, 1, 1, [`line ${n}`]));
    expect(tallies.map(({ lines }) => lines)).toEqual([[], [], [], [], ['line 3', 'line 4', 'line 5']]);
    expect(counter.get('a')).toBeUndefined();
    const whole = new FailureCounter({ maxretry: 3, findtime: 600 });
    whole.add('a', 0, 1, 1, ['one', 'two']);
    expect(whole.get('a')).toEqual({ first: 0, last: 0, count: 1, lines: ['one', 'two'] });
    whole.add('a', 0, 1, 1, ['three']);
    expect(whole.add('a', 0, 1, 1, ['four']).lines).toEqual(['two', 'three', 'four']);
  });

  it('are bounded: each, those of an id, and all together', () => {
    const counter = new FailureCounter({ maxretry: 1000, findtime: 600, maxmatches: 999 });
    for (let n = 0; n < 30; n++) counter.add('a', n, 1, 1, [`${n} ${'x'.repeat(5000)}`]);
    const lines = counter.get('a')!.lines;
    expect(lines.map((line) => [line.split(' ')[0], line.length])).toEqual([
      ['26', 1024],
      ['27', 1024],
      ['28', 1024],
      ['29', 1024],
    ]);
    for (let n = 0; n < 30; n++) counter.add('b', n, 1, 1, [`${n}`]);
    expect(counter.get('b')!.lines).toHaveLength(10);
    const budget = new LineBudget(100);
    const poor = new FailureCounter({ maxretry: 2, findtime: 600 }, budget);
    for (const id of ['a', 'b', 'c']) poor.add(id, 0, 1, 1, ['x'.repeat(40)]);
    expect(['a', 'b', 'c'].map((id) => poor.get(id)!.lines.length)).toEqual([1, 1, 0]);
    // The last line is at hand in any case; and what a ban, unban or age frees can be used again.
    expect(poor.add('c', 0, 1, 1, ['last']).lines).toEqual(['last']);
    poor.add('a', 0, 1, 1, ['last']);
    poor.forget('b');
    for (const id of ['d', 'e']) poor.add(id, 1000, 1, 1, ['x'.repeat(40)]);
    expect(['d', 'e'].map((id) => poor.get(id)!.lines.length)).toEqual([1, 1]);
    poor.expire(1000 + 600_000);
    expect(budget.take(100)).toBe(true);
  });
});

it('forgets, beyond 100,000 ids, who failed longest ago', () => {
  const counter = new FailureCounter({ maxretry: 5, findtime: 600 });
  for (let n = 0; n < 100_000; n++) counter.add(`id ${n}`, n);
  counter.add('id 0', 100_000);
  counter.add('one more', 100_000);
  expect(counter.current).toBe(100_000);
  expect([counter.get('id 0')?.count, counter.get('id 1'), counter.get('one more')?.count]).toEqual([
    2,
    undefined,
    1,
  ]);
});

/** What stands against ids. */
function all(counter: FailureCounter): Map<string, CountedFailures> {
  return new Map(['a', 'b', 'c'].flatMap((id) => (counter.get(id)?.count ? [[id, counter.get(id)!]] : [])));
}

it('tells at each moment how what is stored differs from what is counted', () => {
  const id = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('add' as const), id }) },
    fc.record({ do: fc.constant('forget' as const), id }),
    fc.record({ do: fc.constant('expire' as const), id }),
    { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const), id }) },
    fc.record({ do: fc.constant('lost' as const), id }),
    fc.record({ do: fc.constant('restart' as const), id }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let counter = new FailureCounter({ maxretry: 3, findtime: 600 });
      const stored = new Map<string, unknown>();
      let counted = new Map<string, CountedFailures>();
      const store = (): void => {
        for (const [each, failures] of counter.changes()) {
          // Only what is stored is removed.
          if (failures === undefined) expect(stored.delete(each)).toBe(true);
          else stored.set(each, failures);
        }
        counter.settle();
        counted = all(counter);
        expect(stored).toEqual(counted);
      };
      for (const [index, each] of steps.entries()) {
        if (each.do === 'add') counter.add(each.id, index, 1, 1, [`line ${index}`]);
        else if (each.do === 'forget') counter.forget(each.id);
        else if (each.do === 'expire') counter.expire(index - 5 + 600_000);
        else if (each.do === 'settle') store();
        else if (each.do === 'lost') {
          stored.clear();
          counter.unsettle();
        } else {
          store();
          counter = new FailureCounter({ maxretry: 3, findtime: 600 });
          for (const [one, failures] of counted) counter.restore(one, failures);
          expect(all(counter)).toEqual(counted);
        }
      }
      store();
    }),
    { numRuns: 500 },
  );
});

it('keeps the age of what was counted when the clock is set', () => {
  const counter = new FailureCounter({ maxretry: 3, findtime: 600 });
  counter.add('a', 1_000_000);
  counter.settle();
  counter.shift(3_600_000);
  expect([...counter.changes()]).toEqual([['a', { first: 4_600_000, last: 4_600_000, count: 1, lines: [] }]]);
  counter.expire(4_600_000 + 599_999);
  expect(counter.current).toBe(1);
  counter.expire(4_600_000 + 600_000);
  expect(counter.current).toBe(0);
});
