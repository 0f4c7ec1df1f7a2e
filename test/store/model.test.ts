import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StoredBan } from '../../src/store/stored-ban.ts';
import { ban, bare, openStore, start, temporaryDir } from './temporary.ts';

type Step =
  | { do: 'put'; ip: string; jail: string; seconds: number | undefined; count: number; lines: string[] }
  | { do: 'remove'; ip: string; jail: string }
  | { do: 'position'; source: string; position: string }
  | { do: 'flush' }
  | { do: 'reopen' };

const ip = fc.constantFrom('203.0.113.1', '203.0.113.2', '2001:db8::1', '198.51.100.0/24');
const jail = fc.constantFrom('sshd', 'nginx', "o'brien; DROP TABLE ban");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      ip,
      jail,
      seconds: fc.option(fc.integer({ min: -100, max: 100 }), { nil: undefined }),
      count: fc.integer({ min: 1, max: 1e6 }),
      lines: fc.array(fc.string({ maxLength: 20 }), { maxLength: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), ip, jail }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('position' as const),
      source: fc.constantFrom('a', 'b'),
      position: fc.string(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
);

it('holds after any sequence of changes and restarts what a plain map holds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const dir = temporaryDir();
      const bans = new Map<string, StoredBan>();
      const positions = new Map<string, string>();
      let { store } = openStore(dir);
      for (const each of steps) {
        switch (each.do) {
          case 'put': {
            const until = each.seconds === undefined ? undefined : start + each.seconds * 1000;
            const made = ban(each.ip, { jail: each.jail, until, count: each.count, lines: each.lines });
            store.put(made);
            bans.delete(`${each.ip} ${each.jail}`);
            bans.set(`${each.ip} ${each.jail}`, made);
            break;
          }
          case 'remove':
            store.remove(each.jail, each.ip);
            bans.delete(`${each.ip} ${each.jail}`);
            break;
          case 'position':
            store.positions.set(each.source, each.position);
            positions.set(each.source, each.position);
            break;
          case 'flush':
            expect(store.flush()).toBe(true);
            break;
          case 'reopen':
            store.close();
            ({ store } = openStore(dir));
        }
        const active = [...bans.values()].filter(({ until }) => until === undefined || until > start);
        const key = (one: { ip: string; jail: string }) => `${one.ip} ${one.jail}`;
        const sorted = <T extends { ip: string; jail: string }>(all: Iterable<T>) =>
          [...all].toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
        expect(sorted(store.bans(start))).toEqual(sorted(active.map(bare)));
      }
      for (const [key, made] of bans) expect([key, store.get(made.jail, made.ip)]).toEqual([key, made]);
      for (const [source, position] of positions) expect(store.positions.get(source)).toBe(position);
      for (const address of new Set([...bans.values()].map((each) => each.ip))) {
        const counts = [...bans.values()].filter((each) => each.ip === address).map(({ count }) => count);
        const sum = counts.reduce((total, count) => total + count, 0);
        expect(store.history.count(address, undefined, start)).toBe(sum);
      }
      store.close();
    }),
    { numRuns: 150 },
  );
}, 60_000);
