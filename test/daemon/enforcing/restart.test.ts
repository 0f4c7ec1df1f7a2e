import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LiveDaemon } from '../jails/live-daemon.ts';

let daemon: LiveDaemon;

beforeEach(async () => {
  daemon = new LiveDaemon();
  daemon.config('jail.local', `${daemon.section('app')}\n${daemon.section('web')}`);
  await daemon.start();
});

afterEach(async () => {
  await daemon.end();
});

/** Some failures of one, and bans of others. */
async function busy(jail: string): Promise<void> {
  daemon.fail(jail, '203.0.113.9', 2);
  await daemon.sees('found', { jail, ip: '203.0.113.9', failures: 2 });
  await daemon.control.ban(jail, ['203.0.113.1', '203.0.113.2']);
  await daemon.control.unban(jail, ['203.0.113.2']);
}

const counts = (jail: string) => {
  const { totalFailed, currentlyFailed, totalBanned, currentlyBanned } = daemon.control.jail(jail)!;
  return { totalFailed, currentlyFailed, totalBanned, currentlyBanned };
};
const worked = { totalFailed: 2, currentlyFailed: 1, totalBanned: 2, currentlyBanned: 1 };
const fresh = { totalFailed: 0, currentlyFailed: 0, totalBanned: 1, currentlyBanned: 1 };

describe('a reload with restart', () => {
  it('lets one jail count from nothing, with its bans in force all the while', async () => {
    await busy('app');
    await busy('web');
    expect(counts('app')).toEqual(worked);
    expect(await daemon.control.live.reload('app', true)).toMatchObject({ applied: true });
    expect(counts('app')).toEqual(fresh);
    expect(counts('web')).toEqual(worked);
    expect(daemon.of('unban').map(({ ip }) => ip)).toEqual(['203.0.113.2', '203.0.113.2']);
    daemon.fail('app', '203.0.113.9', 4);
    await daemon.sees('found', { jail: 'app', ip: '203.0.113.9', failures: 4 });
  });

  it('lets all jails, unless the configuration is refused', async () => {
    await busy('app');
    await busy('web');
    daemon.config('jail.local', '[app]\nenabled = true\n[nonsense\n');
    expect(await daemon.control.live.reload(undefined, true)).toMatchObject({ applied: false });
    expect(counts('app')).toEqual(worked);
    daemon.config('jail.local', `${daemon.section('app')}\n${daemon.section('web')}`);
    // Asked for at once: one with and one without are not the same.
    const [kept] = await Promise.all([
      daemon.control.live.reload(undefined),
      daemon.control.live.reload(undefined, true),
    ]);
    expect(kept).toMatchObject({ applied: true });
    expect([counts('app'), counts('web')]).toEqual([fresh, fresh]);
  });
});

describe('a jail that is stopped by hand', () => {
  it('has forgotten what it counted when it starts', async () => {
    await busy('app');
    await daemon.control.live.stop('app');
    await daemon.control.live.start('app');
    expect(counts('app')).toEqual(fresh);
  });

  it.each([
    ['the address', ['203.0.113.1'], 1],
    ['a prefix that it is in', ['203.0.113.0/30', '203.0.113.1'], 1],
    ['all', [], 2],
  ])('does not bring back who was unbanned meanwhile: %s', async (_, ips, count) => {
    await daemon.control.ban('app', ['203.0.113.1', '198.51.100.7']);
    await daemon.control.ban('web', ['192.0.2.9']);
    if (ips.length === 0) await daemon.control.unban('web', []);
    await daemon.control.live.stop('app');
    expect(await daemon.control.unban(undefined, ips)).toEqual({ count, refused: [] });
    await daemon.control.live.start('app');
    expect(daemon.control.banned()).toEqual({
      app: ips.length === 0 ? [] : ['198.51.100.7'],
      web: ips.length === 0 ? [] : ['192.0.2.9'],
    });
    expect(
      daemon.control.views.why('203.0.113.1').jails.flatMap(({ bans, past }) => [...bans, ...past]),
    ).toEqual([]);
  });

  it('nor does one that has never run, of whom was banned in fail2ban', async () => {
    const ban = {
      ip: '203.0.113.1',
      jail: 'later',
      since: new Date().toISOString(),
      until: null,
      count: 1,
      failures: null,
      container: null,
      lines: [],
    };
    const imported = await daemon.control.views.import([ban, { ...ban, ip: '203.0.113.2' }]);
    expect(imported).toMatchObject({ active: 2, waiting: { later: 2 } });
    expect(await daemon.control.unban(undefined, ['203.0.113.1'])).toMatchObject({ count: 1 });
    daemon.config('jail.local', daemon.section('later'));
    expect(await daemon.control.live.reload(undefined)).toMatchObject({ started: ['later'] });
    expect(daemon.control.banned()).toEqual({ later: ['203.0.113.2'] });
  });

  it('brings back all others', async () => {
    await daemon.control.ban('app', ['203.0.113.1', '203.0.113.2']);
    await daemon.control.live.stop('app');
    expect(await daemon.control.unban(undefined, ['203.0.113.3', '198.51.100.0/24'])).toEqual({
      count: 0,
      refused: [],
    });
    await daemon.control.live.start('app');
    expect(daemon.control.banned()).toMatchObject({ app: ['203.0.113.1', '203.0.113.2'] });
  });
});
