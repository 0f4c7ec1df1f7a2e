import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/async/gate.ts';

describe('Gate', () => {
  it('lets jobs pass side by side, and one alone between them', async () => {
    const gate = new Gate();
    const told: string[] = [];
    const job = (name: string, after: Promise<void>) => async (): Promise<void> => {
      told.push(`${name} starts`);
      await after;
      told.push(`${name} ends`);
    };
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const alone = Promise.withResolvers<void>();
    const jobs = [
      gate.pass(job('a', first.promise)),
      gate.pass(job('b', second.promise)),
      gate.alone(job('alone', alone.promise)),
      gate.pass(job('c', Promise.resolve())),
    ];
    second.resolve();
    first.resolve();
    alone.resolve();
    await Promise.all(jobs);
    expect(told).toEqual([
      'a starts',
      'b starts',
      'b ends',
      'a ends',
      'alone starts',
      'alone ends',
      'c starts',
      'c ends',
    ]);
  });

  it('goes on after failures', async () => {
    const gate = new Gate();
    const failing = async (): Promise<never> => Promise.reject(new Error('no'));
    const [passed, alone] = await Promise.allSettled([gate.pass(failing), gate.alone(failing)]);
    expect(passed.status).toBe('rejected');
    expect(alone.status).toBe('rejected');
    expect(await gate.pass(async () => 'yes')).toBe('yes');
  });
});
