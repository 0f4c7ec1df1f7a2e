import { expect, it } from 'vitest';
import { mostBans } from '../../src/jail/jail.ts';
import { newJail } from './new-jail.ts';
import { jailSpec } from './jail-spec.ts';

const now = Date.UTC(2026, 10, 22, 13, 44, 53);

it('a jail holds so many bans: those that would end soonest go, who was banned last and for ever stays', () => {
  const jail = newJail(jailSpec({ maxretry: 1 }));
  const hold = (i: number, until: number | undefined) =>
    jail.restore({ jail: jail.name, ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, since: now, until });
  for (let i = 0; i < mostBans; i++) hold(i, i % 1000 === 0 ? undefined : now + 60_000 + i);
  expect(jail.shed()).toEqual([]);
  jail.observe({ id: '203.0.113.9', time: now, attempts: 1, lines: [], fields: {} }, now);
  const shed = jail.shed();
  expect(shed).toHaveLength(0.02 * mostBans + 1);
  expect(jail.bans.size).toBe(0.98 * mostBans);
  expect(jail.bans.has('203.0.113.9')).toBe(true);
  expect(jail.bans.has('10.0.0.0')).toBe(true);
  expect(jail.bans.has('10.0.0.1')).toBe(false);
  const last = shed.at(-1)!.until!;
  expect([...jail.bans.values()].every(({ until = Infinity }) => until >= last)).toBe(true);
});
