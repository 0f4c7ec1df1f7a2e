import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FailureCounter } from '../../src/jail/failure-counter.ts';
import { fail2banTree } from './fail2ban-tree.ts';

interface Case {
  maxretry: number;
  findtime: number;
  /** id, seconds, attempts */
  events: [string, number, number][];
}

const cases = fc.record({
  maxretry: fc.integer({ min: 1, max: 20 }),
  findtime: fc.integer({ min: 1, max: 1000 }),
  events: fc.array(
    fc.tuple(
      fc.constantFrom('198.51.100.1', '198.51.100.2', '2001:db8::1'),
      fc.integer({ min: 1_124_010_000, max: 1_124_013_600 }),
      fc.constantFrom(1, 1, 1, 3),
    ),
    { maxLength: 40 },
  ),
});

it("counts what fail2ban's own FailManager counts, over random sequences of failures", async () => {
  const tree = await fail2banTree();
  const inputs: Case[] = fc.sample(cases, { numRuns: 2000, seed: 20261122 });
  for (const [index, input] of inputs.entries())
    if (index % 4 > 0) input.events.sort(([, a], [, b]) => a - b);
  const theirs = JSON.parse(
    execFileSync('/usr/bin/python3', ['test/conformance/counting.py'], {
      input: JSON.stringify(inputs),
      env: { PYTHONPATH: tree.pythonPath },
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    }),
  ) as [number, boolean][][];
  const ours = inputs.map(({ maxretry, findtime, events }) => {
    const counter = new FailureCounter({ maxretry, findtime });
    return events.map(([id, seconds, attempts]) => {
      const { failures, reached } = counter.add(id, seconds * 1000, attempts);
      return [failures, reached];
    });
  });
  expect(ours).toEqual(theirs);
  expect(theirs.flat().filter(([, banned]) => banned).length).toBeGreaterThan(1000);
});
