import { describe, expect, it } from 'vitest';
import { FailureCounter } from '../../src/jail/failure-counter.ts';

const second = 1000;

/** Feeds failures of one id at the given seconds; the count after each. */
function counts(maxretry: number, findtime: number, at: readonly number[]): number[] {
  const counter = new FailureCounter(maxretry, findtime);
  return at.map((time) => counter.add('198.51.100.66', time * second).failures);
}

describe('FailureCounter', () => {
  it('reaches maxretry within findtime and starts again from nothing', () => {
    const counter = new FailureCounter(3, 600);
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
    const counter = new FailureCounter(2, 600);
    counter.add('a', 0);
    expect(counter.add('b', 0).reached).toBe(false);
    expect(counter.add('a', 0).reached).toBe(true);
  });

  it('takes the attempts of the first report, one for each later', () => {
    const counter = new FailureCounter(10, 600);
    expect(counter.add('a', 0, 4).failures).toBe(4);
    expect(counter.add('a', 0, 4).failures).toBe(5);
  });

  it('drops an id once its newest failure is findtime old', () => {
    const counter = new FailureCounter(5, 600);
    counter.add('a', 0);
    counter.expire(599_999);
    expect(counter.current).toBe(1);
    counter.expire(600_000);
    expect(counter.current).toBe(0);
  });
});
