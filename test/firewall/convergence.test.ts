import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bans,
  changes,
  dockerUserFaults,
  engineChanges,
  nftablesFaults,
  overlaps,
} from './convergence-steps.ts';
import { openWorld } from './convergence-world.ts';
import { auto, dockerUser, nftables } from './enforcements.ts';

const backends = [
  { enforcement: dockerUser, name: dockerUser.name, faults: dockerUserFaults },
  {
    enforcement: nftables,
    name: nftables.name,
    faults: [...nftablesFaults, ...nftablesFaults.slice(1)],
  },
  {
    enforcement: auto,
    name: auto.name,
    faults: [...engineChanges, ...engineChanges, ...dockerUserFaults, ...nftablesFaults],
  },
];

describe.each(backends)('any sequence of changes and faults, $name', ({ enforcement, faults }) => {
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.oneof(...bans) },
    { weight: 1, arbitrary: fc.oneof(...changes, ...overlaps) },
    { weight: 2, arbitrary: fc.oneof(...faults) },
  );

  it('ends, after one reconcile, in the state that was asked for, and no never-ban address gets in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (sequence) => {
        using world = await openWorld(enforcement);
        for (const [, take] of sequence) {
          await take(world);
          world.expectNoNeverBan();
        }
        world.kernel.failures = 0;
        const foreign = world.foreignRules();
        await world.reconcile();
        world.expectDesired();
        expect(world.foreignRules()).toEqual(foreign);
        const settled = world.kernel.snapshot();
        world.kernel.commands.length = 0;
        expect(await world.firewall.reconcile(world.jails, world.access)).toEqual({
          repairs: [],
          shortfalls: [],
          refused: [],
        });
        expect(world.kernel.snapshot()).toEqual(settled);
        expect(world.kernel.commands.filter((command) => enforcement.isWrite(command))).toEqual([]);
        await world.firewall.flush();
        expect(JSON.stringify(world.kernel.snapshot())).not.toMatch(/dock2ban/i);
        expect(world.foreignRules()).toEqual(foreign);
      }),
      { numRuns: 400 },
    );
  }, 60_000);
});
