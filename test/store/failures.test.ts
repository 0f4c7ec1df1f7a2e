import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { JailSpec } from '../../src/config/jail-spec.ts';
import { Jail } from '../../src/jail/jail.ts';
import { countingOf, restoreFailures } from '../../src/daemon/jails/counting.ts';
import type { Store } from '../../src/store/store.ts';
import { jailSpec } from '../jail/jail-spec.ts';
import { ban, hour, minute, openStore, start, temporaryDir } from './temporary.ts';

const ip = '203.0.113.9';
const spec = jailSpec({ name: 'sshd', maxretry: 5 });

/** A jail with what an earlier run has counted. */
function jailOf(store: Store, now = start, options: JailSpec = spec): Jail {
  const jail = new Jail(options, store.history);
  restoreFailures(jail, store, now);
  return jail;
}

/** A run of a controller with one jail. */
function run(dir: string, now = start): { jail: Jail; store: Store; fail: (address?: string) => string } {
  const all = new Map<string, Jail>();
  const { store } = openStore(dir, { counting: countingOf({ all }), clock: () => now });
  const jail = jailOf(store, now);
  all.set(jail.name, jail);
  const fail = (address = ip): string => {
    const lines = [`Failed password from ${address} at ${now}`];
    const verdict = jail.observe({ id: address, time: now, attempts: 1, lines, fields: {} }, now);
    store.noteCounted();
    return verdict.kind;
  };
  return { jail, store, fail };
}

it('what was counted counts after a crash, with its lines', () => {
  const dir = temporaryDir();
  const first = run(dir);
  for (let i = 0; i < 4; i++) expect(first.fail()).toBe('found');
  first.fail('2001:db8::1');
  first.store.positions.set('log', 'behind the fourth');
  first.store.flush();
  // No close: what is not stored by now is lost.
  const second = run(dir, start + minute);
  expect(second.store.positions.get('log')).toBe('behind the fourth');
  expect(second.jail.failuresOf('2001:db8::1')?.count).toBe(1);
  const line = (at: number): string => `Failed password from ${ip} at ${at}`;
  const observed = { id: ip, time: start + minute, attempts: 1, lines: [line(start + minute)], fields: {} };
  expect(second.jail.observe(observed, start + minute)).toMatchObject({
    kind: 'ban',
    failures: 5,
    lines: [...Array<string>(4).fill(line(start)), line(start + minute)],
  });
  second.store.flush();
  // What led to a ban counts no more.
  expect(run(dir, start + 2 * minute).jail.failuresOf(ip)).toBeUndefined();
});

it('no position is stored without what was counted before it, nor the other way round', () => {
  const dir = temporaryDir();
  const first = run(dir);
  first.fail();
  first.store.positions.set('log', '1');
  first.store.flush();
  first.fail();
  // So many bans in the middle of a block are written at once, and with them neither the failure nor a position.
  for (let i = 0; i < 20_000; i++) first.store.put(ban(`10.0.${i >> 8}.${i & 255}`));
  const crashed = run(dir);
  expect([...crashed.store.bans(start)].length).toBe(20_000);
  expect([crashed.store.positions.get('log'), crashed.jail.failuresOf(ip)?.count]).toEqual(['1', 1]);
  crashed.store.close();
  first.store.positions.set('log', '2');
  first.store.flush();
  const again = run(dir);
  expect([again.store.positions.get('log'), again.jail.failuresOf(ip)?.count]).toEqual(['2', 2]);
});

it('is written by itself where no position is', async () => {
  const dir = temporaryDir();
  const { fail } = run(dir);
  fail();
  await expect.poll(() => run(dir).jail.failuresOf(ip)?.count, { timeout: 10_000 }).toBe(1);
});

it('forgets what is older than findtime, at the start and by purging', async () => {
  const dir = temporaryDir();
  const first = run(dir);
  first.fail();
  first.store.close();
  expect(run(dir, start + 10 * minute - 1).jail.failuresOf(ip)?.count).toBe(1);
  const late = run(dir, start + 10 * minute);
  expect(late.jail.failuresOf(ip)).toBeUndefined();
  expect(await late.store.purge(start + 10 * minute - 1)).toBe(0);
  expect(await late.store.purge(start + 10 * minute)).toBe(1);
  expect([...late.store.failures('sshd', start, 600)]).toEqual([]);
});

it('takes failures of the future for ones of now', () => {
  const dir = temporaryDir();
  const first = run(dir, start + hour);
  first.fail();
  first.store.close();
  const { jail } = run(dir);
  expect(jail.failuresOf(ip)).toMatchObject({ first: start, last: start, count: 1 });
  jail.expire(start + 10 * minute);
  expect(jail.failuresOf(ip)).toBeUndefined();
});

it('does not take up what the jail ignores by now', () => {
  const dir = temporaryDir();
  const first = run(dir);
  first.fail();
  first.store.close();
  const { store } = openStore(dir);
  const ignoring = { ...spec, ignoreip: ['203.0.113.0/24'] };
  expect(jailOf(store, start, ignoring).failuresOf(ip)).toBeUndefined();
  expect(jailOf(store, start, { ...spec, name: 'other' }).failuresOf(ip)).toBeUndefined();
  expect(jailOf(store).failuresOf(ip)?.count).toBe(1);
});

it('writes everything that is counted into a new database when the old one was lost', () => {
  const dir = temporaryDir();
  const all = new Map<string, Jail>();
  const { store } = openStore(`${dir}/state`, { counting: countingOf({ all }) });
  const jail = jailOf(store);
  all.set(jail.name, jail);
  const fail = (): void =>
    void jail.observe({ id: ip, time: start, attempts: 1, lines: [], fields: {} }, start);
  fail();
  store.noteCounted();
  store.flush();
  rmSync(`${dir}/state`, { recursive: true });
  store.noteCounted();
  expect(store.flush()).toBe(false);
  expect(store.flush()).toBe(true);
  store.close();
  expect(run(`${dir}/state`).jail.failuresOf(ip)?.count).toBe(1);
});
