import { expect, it } from 'vitest';
import { localTime } from '../../src/text/local-time.ts';
import { ban, hour, minute, openStore, start, temporaryDir } from './temporary.ts';

it('sums up what is remembered: by jail, by offender and by day', () => {
  const { store } = openStore(temporaryDir());
  store.put(ban('203.0.113.1', { count: 3 }));
  store.put(ban('203.0.113.1', { count: 2, jail: 'nginx', since: start + minute, until: undefined }));
  store.put(ban('203.0.113.2', { count: 4, since: start - 24 * hour, until: start - 23 * hour }));
  store.put(ban('2001:db8::/64', { count: 1, since: start - 48 * hour, until: start - 47 * hour }));
  store.flush();
  const day = (time: number) => localTime(new Date(time)).slice(0, 10);
  expect(store.statistics()).toEqual({
    jails: [
      { jail: 'nginx', addresses: 1, bans: 2 },
      { jail: 'sshd', addresses: 3, bans: 8 },
    ],
    offenders: [
      { ip: '203.0.113.1', bans: 5, jails: ['nginx', 'sshd'], last: start + minute },
      { ip: '203.0.113.2', bans: 4, jails: ['sshd'], last: start - 24 * hour },
      { ip: '2001:db8::/64', bans: 1, jails: ['sshd'], last: start - 48 * hour },
    ],
    days: [
      { day: day(start), addresses: 2 },
      { day: day(start - 24 * hour), addresses: 1 },
      { day: day(start - 48 * hour), addresses: 1 },
    ],
  });
});

it('gives all that is remembered page by page, with what waits to be written', () => {
  const { store } = openStore(temporaryDir());
  const ips = Array.from({ length: 450 }, (_, n) => `203.0.${n >> 8}.${n & 255}`);
  for (const ip of ips) store.put(ban(ip));
  const pages = store.pages();
  const first = pages.next().value!;
  expect(first[0]).toEqual(ban('203.0.0.0'));
  // Between two pages things happen.
  store.put(ban('198.51.100.1', { lines: ['new'] }));
  store.remove('sshd', ips[300]!);
  const all = [...first, ...[...pages].flat()];
  expect(all.map(({ ip }) => ip)).toEqual([...ips.filter((ip) => ip !== ips[300]), '198.51.100.1']);
  expect(all.at(-1)).toEqual(ban('198.51.100.1', { lines: ['new'] }));
  expect(Math.max(first.length)).toBeLessThan(450);
});
