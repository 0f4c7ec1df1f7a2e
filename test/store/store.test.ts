import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { ban, bare, hour, minute, openStore, start, temporaryDir, told } from './temporary.ts';

// Some of these write 100,000 rows.
vi.setConfig({ testTimeout: 60_000 });

it('gives back, after a restart, the bans that are in force, in the order in which they were made', () => {
  const dir = join(temporaryDir(), 'new/state');
  const made = [
    ban('203.0.113.9'),
    ban('203.0.113.1', { until: undefined, count: 3, failures: undefined, container: undefined }),
    ban('2001:db8::/64', { jail: 'nginx' }),
  ];
  const before = openStore(dir);
  for (const each of made) before.store.put(each);
  before.store.put(ban('203.0.113.7', { until: start + 1 }));
  before.store.close();
  const { store, events } = openStore(dir);
  expect([...store.bans(start + minute)]).toEqual(made.map(bare));
  expect(store.get('nginx', '2001:db8::/64')).toEqual(made[2]);
  expect([...before.events, ...events]).toEqual([]);
});

it('keeps what it stores from other users', () => {
  const { store } = openStore(join(temporaryDir(), 'state'));
  store.put(ban('203.0.113.9'));
  store.flush();
  expect(statSync(store.path).mode & 0o777).toBe(0o600);
  expect(statSync(`${store.path}-wal`).mode & 0o777).toBe(0o600);
  expect(statSync(join(store.path, '..')).mode & 0o777).toBe(0o700);
});

it('tells the latest state of a ban before and after it is written', () => {
  const { store } = openStore(temporaryDir());
  const longer = ban('203.0.113.9', { until: start + hour, failures: 9 });
  const other = ban('203.0.113.9', { jail: 'nginx' });
  const byJail = (a: { jail: string }, b: { jail: string }) => a.jail.localeCompare(b.jail);
  const look = () => [
    [...store.bans(start)],
    store.get('sshd', longer.ip),
    store.of(longer.ip).toSorted(byJail),
  ];
  store.put(ban('203.0.113.9'));
  store.flush();
  store.put(longer);
  store.put(other);
  const waiting = look();
  expect(store.status.waiting).toBe(2);
  expect(store.flush()).toBe(true);
  expect(store.status.waiting).toBe(0);
  expect(look()).toEqual(waiting);
  expect(waiting).toEqual([[bare(longer), bare(other)], longer, [bare(other), bare(longer)]]);
});

it('writes by itself soon after', async () => {
  const dir = temporaryDir();
  const { store } = openStore(dir);
  store.put(ban('203.0.113.9'));
  await expect.poll(() => store.status.waiting, { timeout: 20_000 }).toBe(0);
  expect([...openStore(dir).store.bans(start)]).toEqual([bare(ban('203.0.113.9'))]);
});

it('forgets an unbanned address and how often it was banned, in that jail alone', () => {
  const dir = temporaryDir();
  const { store } = openStore(dir);
  store.put(ban('203.0.113.9', { count: 4 }));
  store.put(ban('203.0.113.9', { jail: 'nginx', count: 2 }));
  store.flush();
  store.remove('sshd', '203.0.113.9');
  expect(store.history.count('203.0.113.9', 'sshd', start)).toBe(0);
  store.close();
  const { store: again } = openStore(dir);
  expect([...again.bans(start)].map(({ jail }) => jail)).toEqual(['nginx']);
  expect(again.history.count('203.0.113.9', undefined, start)).toBe(2);
});

it('counts bans by address and jail, over restarts, until they are too long ago', () => {
  const dir = temporaryDir();
  const ip = '203.0.113.9';
  const { store } = openStore(dir);
  store.history.add(ip, 'sshd', start);
  expect([...store.bans(start)]).toEqual([]);
  store.put(ban(ip, { count: store.history.count(ip, 'sshd', start) }));
  store.history.add(ip, 'sshd', start + hour);
  store.put(ban(ip, { since: start + hour, until: start + 2 * hour, count: 2 }));
  store.history.add(ip, 'nginx', start + hour);
  store.close();
  const { store: again } = openStore(dir);
  const counts = (now: number) =>
    [ip, '203.0.113.8'].map((address) =>
      ['sshd', 'nginx', undefined].map((jail) => again.history.count(address, jail, now)),
    );
  expect(counts(start + 2 * hour)).toEqual([
    [2, 1, 3],
    [0, 0, 0],
  ]);
  // A day after its beginning, or three times its duration if that is later.
  expect(counts(start + 26 * hour)).toEqual([
    [2, 0, 2],
    [0, 0, 0],
  ]);
  expect(counts(start + 28 * hour + 1)[0]).toEqual([0, 0, 0]);
});

it('counts up a ban in force without ending it', () => {
  const { store } = openStore(temporaryDir());
  store.put(ban('203.0.113.9', { count: 2 }));
  store.history.add('203.0.113.9', 'sshd', start + minute);
  expect([...store.bans(start + minute)]).toEqual([bare(ban('203.0.113.9', { count: 3 }))]);
});

it('keeps positions, the newest of each source', () => {
  const dir = temporaryDir();
  const { store } = openStore(dir);
  store.positions.set('file:/var/log/a.log', '1');
  store.positions.set('journal', 's=ü\n"x"');
  store.flush();
  store.positions.set('file:/var/log/a.log', '2');
  expect(store.positions.get('file:/var/log/a.log')).toBe('2');
  store.close();
  const { store: again } = openStore(dir);
  expect(again.positions.get('file:/var/log/a.log')).toBe('2');
  expect(again.positions.get('journal')).toBe('s=ü\n"x"');
  expect(again.positions.get('file:/var/log/b.log')).toBeUndefined();
});

it('purges what is over and too old, and nothing else', async () => {
  const { store } = openStore(temporaryDir());
  const day = 24 * hour;
  store.positions.set('old', '1');
  for (let i = 0; i < 9000; i++) store.put(ban(`2001:db8::${i.toString(16)}`));
  const kept = [
    ban('203.0.113.1', { until: undefined }),
    ban('203.0.113.2', { until: start + 3 * day }),
    // Over, but three times its duration isn't.
    ban('203.0.113.3', { until: start + day - 1 }),
    ban('203.0.113.4', { since: start + day, until: start + day + minute }),
  ];
  for (const each of kept) store.put(each);
  store.flush();
  expect(await store.purge(start + day + hour)).toBe(9000);
  expect(store.statistics()?.jails).toEqual([{ jail: 'sshd', addresses: 4, bans: 4 }]);
  expect(kept.map(({ ip }) => store.get('sshd', ip))).toEqual(kept);
  expect(await store.purge(start + 31 * day)).toBe(4);
  expect([...store.bans(start + 31 * day)].map(({ ip }) => ip)).toEqual(['203.0.113.1']);
  expect(store.positions.get('old')).toBeUndefined();
});

it('restores exact ends, and after the clock went back no more than the duration of a ban', () => {
  const dir = temporaryDir();
  const { store } = openStore(dir);
  store.put(ban('203.0.113.9'));
  store.put(ban('203.0.113.8', { until: undefined }));
  store.close();
  const { store: again } = openStore(dir);
  expect([...again.bans(start + 10 * minute - 1)].map(({ until }) => until)).toEqual([
    start + 10 * minute,
    undefined,
  ]);
  expect([...again.bans(start + 10 * minute)].map(({ ip }) => ip)).toEqual(['203.0.113.8']);
  const back = start - hour;
  expect([...again.bans(back)].map(({ since, until }) => [since, until])).toEqual([
    [back, back + 10 * minute],
    [back, undefined],
  ]);
  // An hour forth and back again: nothing was lost by looking.
  expect([...again.bans(start + hour)]).toHaveLength(1);
  expect([...again.bans(start)]).toHaveLength(2);
});

it('stores the other rows when one has values that no table takes', () => {
  const dir = temporaryDir();
  const { store, events } = openStore(dir);
  store.put(ban('203.0.113.1'));
  store.put(ban('203.0.113.2', { count: Number.NaN }));
  store.put(ban('203.0.113.3', { since: start + 0.4, until: 1e300 }));
  expect(store.flush()).toBe(true);
  expect(events).toMatchObject([{ kind: 'row-refused', row: '[sshd] 203.0.113.2' }]);
  expect([...store.bans(start)].map(({ ip, until }) => [ip, until])).toEqual([
    ['203.0.113.1', start + 10 * minute],
    ['203.0.113.3', undefined],
  ]);
  expect(told(events)).toEqual(['row-refused store-failed']);
});

it('loads 100,000 bans, and passes over those that are over', () => {
  const dir = temporaryDir();
  const { store } = openStore(dir);
  for (let i = 0; i < 100_000; i++) {
    const ip = `10.${(i * 7) & 255}.${(i >> 8) & 255}.${i & 255}`;
    store.put(ban(ip, { jail: `jail${i >> 16}`, until: i % 10 === 0 ? start + 1 : start + hour }));
  }
  store.close();
  const { store: again } = openStore(dir);
  const found = new Set<string>();
  for (const { jail, ip } of again.bans(start + minute)) found.add(`${jail} ${ip}`);
  expect(found.size).toBe(90_000);
});
