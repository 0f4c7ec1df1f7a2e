import { describe, expect, it } from 'vitest';
import { StallGauge } from '../../src/daemon/stall-gauge.ts';

/** Seconds until a thread that gives no sign of life counts as stalled; undefined: it doesn't within ten minutes. */
function stallsAfter(
  gauge: StallGauge,
  atWork: (second: number) => number,
  load: number,
): { after: number; culprit: number } | undefined {
  gauge.tick(1, 0, () => 0);
  for (let after = 1; after <= 600; after += 1) {
    const culprit = gauge.tick(1, atWork(after), () => after * load);
    if (culprit !== undefined) return { after, culprit };
  }
  return undefined;
}

describe('a stall', () => {
  it('is ten seconds without a beat in which the thread computes', () => {
    expect(stallsAfter(new StallGauge(), () => 7, 1)).toEqual({ after: 11, culprit: 7 });
  });

  it('is no wait, and takes longer on a machine that gives it little', () => {
    expect(stallsAfter(new StallGauge(), () => 7, 0)).toBeUndefined();
    expect(stallsAfter(new StallGauge(), () => 7, 0.25)).toEqual({ after: 33, culprit: 7 });
  });

  it('is blamed on what was at work most of the time, and on nothing else', () => {
    expect(stallsAfter(new StallGauge(), (second) => (second < 4 ? 3 : 7), 1)?.culprit).toBe(7);
    expect(stallsAfter(new StallGauge(), (second) => second, 1)?.culprit).toBe(0);
    expect(stallsAfter(new StallGauge(), () => 0, 1)?.culprit).toBe(0);
  });

  it('of work of its own may last as long as it is told, one of an expression may not', () => {
    expect(stallsAfter(new StallGauge(120), () => 0, 1)?.after).toBe(121);
    expect(stallsAfter(new StallGauge(120), () => 7, 1)?.after).toBe(11);
  });

  it('isn’t there while beats come, nor where processor time can’t be told', () => {
    const gauge = new StallGauge();
    for (let second = 1; second < 60; second += 1) {
      expect(gauge.tick(Math.floor(second / 9), 7, () => second)).toBeUndefined();
    }
    const blind = new StallGauge();
    for (let second = 1; second < 60; second += 1) expect(blind.tick(1, 7, () => undefined)).toBeUndefined();
  });
});
