import { describe, expect, it } from 'vitest';
import type { Family } from '../../../src/net/address.ts';
import type { Passages, Meter } from '../../../src/doctor/proofs/meter.ts';
import { proveCrossing } from '../../../src/doctor/proofs/prove-crossing.ts';

type Way = 'INPUT 4' | 'INPUT 6' | 'FORWARD 4' | 'FORWARD 6';

/** A meter that shows one state after the other, and the last for ever. */
function meterOf(
  states: readonly Partial<Record<Way, number | readonly [crossed: number, diverted: number]>>[],
  remembers = true,
): Meter {
  const left = [...states];
  return {
    remembers,
    close: async () => undefined,
    read: async () => {
      const state = left.length > 1 ? left.shift()! : left[0]!;
      const entries = Object.entries(state).map(([way, count]) => {
        const [crossed, diverted] = [count].flat() as [number, number?];
        return [way as Way, { crossed, diverted: diverted ?? 0 }] as const;
      });
      return new Map(entries) satisfies Passages;
    },
  };
}

const prove = (
  meter: Meter,
  more: {
    families?: Family[];
    forwarded?: Family[];
    arrives?: boolean;
    waitMs?: number;
    signal?: AbortSignal;
  } = {},
) =>
  proveCrossing({
    meter,
    families: more.families ?? [],
    forwarded: more.forwarded ?? [],
    waitMs: more.waitMs ?? 0,
    signal: more.signal ?? new AbortController().signal,
    sendToSelf: async () => more.arrives ?? true,
  });

describe('proveCrossing', () => {
  it.each([
    ['moved', [{ 'INPUT 4': 3 }, { 'INPUT 4': 5 }], true, 'ok', 'from 3 to 5'],
    ['did not move', [{ 'INPUT 4': 3 }], true, 'error', 'did not cross'],
    ['never came', [{ 'INPUT 4': 3 }], false, 'untested', 'did not come through'],
    [
      'began anew in between, then moved',
      [{ 'INPUT 4': 9 }, { 'INPUT 4': 0 }, { 'INPUT 4': 0 }, { 'INPUT 4': 1 }],
      true,
      'ok',
      'from 0 to 1',
    ],
    ['are not there', [{}], true, 'untested', 'no rule'],
  ] as const)('to the host: counters that %s', async (_, states, arrives, severity, text) => {
    const [finding] = await prove(meterOf(states), { families: [4], arrives });
    expect(finding).toMatchObject({ severity, what: expect.stringContaining(text) as string });
  });

  it.each([
    ['packets that cross', [{ 'FORWARD 6': 3 }, { 'FORWARD 6': 4 }], true, 'ok', '1 packet crossed'],
    [
      'packets that went another way',
      [{ 'FORWARD 6': [3, 1] }, { 'FORWARD 6': [3, 8] }],
      true,
      'error',
      '7 packets',
    ],
    ['packets of before', [{ 'FORWARD 6': 3 }], true, 'ok', '3 packets have crossed'],
    ['packets of before that may be others', [{ 'FORWARD 6': 3 }], false, 'untested', 'no packet came by'],
    ['nothing at all', [{ 'FORWARD 6': 0 }], true, 'untested', 'no packet came by'],
    ['no rule', [{}], true, 'untested', 'no rule'],
  ] as const)('to containers: %s', async (_, states, remembers, severity, text) => {
    const findings = await prove(meterOf(states, remembers), { forwarded: [6], waitMs: 1 });
    expect(findings).toMatchObject([{ severity, what: expect.stringContaining(text) as string }]);
  });

  it('stops waiting when it is told to', async () => {
    const findings = await prove(meterOf([{ 'FORWARD 4': 0 }]), {
      forwarded: [4],
      waitMs: 3_600_000,
      signal: AbortSignal.timeout(50),
    });
    expect(findings).toMatchObject([{ severity: 'untested' }]);
  });
});
