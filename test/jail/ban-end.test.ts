import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defaultFormula, parseBanFormula } from '../../src/config/options/bantime-increment.ts';
import { timeoutFor, longestTimeout } from '../../src/firewall/ipset/ipset-text.ts';
import { secondsLeft } from '../../src/firewall/bans/timeouts.ts';
import { longestTimeout as nftLongest } from '../../src/firewall/nft/batch.ts';
import { banEnd, lastEnd } from '../../src/jail/ban-end.ts';
import { Jail } from '../../src/jail/jail.ts';
import { seenFrom } from '../../src/store/stored-ban.ts';
import { jailSpec } from './jail-spec.ts';

const ip = '198.51.100.66';

it.each([
  [undefined, undefined],
  [0.6, 1],
  [lastEnd, lastEnd],
  [lastEnd + 1, undefined],
  [8.64e15 + 1, undefined],
  [Infinity, undefined],
  [Number.NaN, undefined],
])('a ban until %d ends at %d', (time, end) => {
  expect(banEnd(time)).toBe(end);
});

const seconds = fc.oneof(
  fc.double({ min: 1 }),
  fc.constantFrom(1, 600, 2 ** 31, 2 ** 53, 9_467_280_000_000, 1e300, Infinity),
);
const factor = fc.oneof(fc.double({ min: 0, noNaN: true }), fc.constantFrom(0, 1, 1e308, Infinity));

const increment = fc.option(
  fc.record({
    formula: fc
      .constantFrom(defaultFormula, 'ban.Time ** ban.Count ** banFactor', 'ban.Time / (ban.Count - 2) * 0')
      .map(parseBanFormula),
    multipliers: fc.array(fc.oneof(fc.nat(), factor), { maxLength: 3 }),
    factor,
    maxtime: fc.option(seconds, { nil: undefined }),
    rndtime: factor,
    overalljails: fc.boolean(),
  }),
  { nil: undefined },
);

it('whatever the duration, the clock, its steps and the bans before: the end is a date or for ever', () => {
  fc.assert(
    fc.property(
      seconds,
      increment,
      fc.integer({ min: 1, max: lastEnd }),
      fc.nat(40),
      fc.oneof(fc.integer(), fc.constantFrom(lastEnd, -lastEnd)),
      (bantime, grows, now, count, step) => {
        const history = { count: () => count, add: () => undefined };
        const spec = jailSpec({ bantime, maxretry: 1, ...(grows && { increment: grows }) });
        const jail = new Jail(spec, history, () => 0.5);
        const made = [
          jail.observe({ id: ip, time: now, attempts: 1, lines: [], fields: {} }, now),
          jail.ban('198.51.100.67', now),
        ];
        const bans = [...jail.bans.values()];
        jail.shift(step);
        jail.restore({ jail: 'app', ip: '198.51.100.68', since: now, until: now + bantime * 1000 });
        const all = [...bans, ...jail.bans.values(), ...bans.map((ban) => seenFrom(ban, now - 1e12))];
        for (const { until } of all) {
          if (until === undefined) continue;
          expect(new Date(until).toISOString()).toMatch(/^-?\d/);
          expect(Number.isSafeInteger(until)).toBe(true);
          expect(timeoutFor(until, now)).toBeLessThanOrEqual(longestTimeout);
          expect(Number.isSafeInteger(secondsLeft(until, now, nftLongest))).toBe(true);
        }
        return made.length === 2 && bans.length > 0;
      },
    ),
    { numRuns: 2000 },
  );
});
