import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { importBans } from '../../../src/cli/commands/import.ts';
import { exportBans } from '../../../src/cli/commands/export.ts';
import { ControlClient } from '../../../src/control/client.ts';
import { serveControl } from '../../../src/control/server.ts';
import { readFail2banDatabase } from '../../../src/store/fail2ban-database.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

let daemon: LiveDaemon;

beforeEach(() => {
  daemon = new LiveDaemon();
});

afterEach(async () => {
  await daemon.end();
});

/** A failure of 203.0.113.1, as it was logged. */
const logged: unknown = expect.stringMatching(/bad 203\.0\.113\.1$/);

const views = () => daemon.control.views;

/** A client of a daemon, over a real socket. */
async function clientOf({ folder, control }: LiveDaemon): Promise<ControlClient> {
  const socket = join(folder, 'control.sock');
  const server = await serveControl(socket, control);
  onTestFinished(() => server.close());
  return new ControlClient(socket);
}

/** Runs `dock2ban import`. */
async function importFile(client: ControlClient, file: string) {
  const printed: string[] = [];
  const warned: string[] = [];
  const output = { print: (text: string) => printed.push(text), warn: (text: string) => warned.push(text) };
  await importBans(file, false, {
    client,
    readDatabase: readFail2banDatabase,
    now: Date.now,
    output,
  });
  return { printed: printed.join(''), warned: warned.join('') };
}

describe('why', () => {
  it('tells of failures, with their times and lines', async () => {
    daemon.config('jail.local', daemon.section('app', 'maxretry = 5') + daemon.section('other'));
    await daemon.start();
    const began = Date.now();
    daemon.fail('app', '203.0.113.1', 3);
    await daemon.sees('found', { failures: 3 });
    const { jails, neverBanned, events } = views().why('203.0.113.1');
    expect(neverBanned).toBeNull();
    expect(jails).toEqual([
      {
        jail: 'app',
        active: true,
        countsAs: '203.0.113.1',
        failures: {
          count: 3,
          maxretry: 5,
          first: expect.any(String),
          last: expect.any(String),
          lines: [logged, logged, logged],
        },
        bans: [],
        past: [],
        ignoredBy: null,
      },
    ]);
    expect(Date.parse(jails[0]!.failures!.first)).toBeGreaterThanOrEqual(began - 1000);
    expect(events.map(({ event }) => event)).toEqual(['found', 'found', 'found']);
    expect(views().why('203.0.113.2')).toEqual({
      ip: '203.0.113.2',
      neverBanned: null,
      jails: [],
      events: [],
    });
  });

  it('tells of a ban: since when, until when, the how-manieth, and for which lines', async () => {
    daemon.config('jail.local', daemon.section('app', 'maxretry = 2\nbantime = 600'));
    await daemon.start();
    daemon.fail('app', '203.0.113.1', 2);
    await daemon.sees('ban', { ip: '203.0.113.1' });
    const { jails, events } = views().why('203.0.113.1');
    const [ban] = jails[0]!.bans;
    expect(ban).toMatchObject({ ip: '203.0.113.1', count: 1, failures: 2, container: null });
    expect(Date.parse(ban!.until!) - Date.parse(ban!.since)).toBe(600_000);
    expect(ban!.lines).toEqual([logged, logged]);
    expect(jails[0]!.failures).toBeNull();
    expect(events.at(-1)).toMatchObject({ event: 'ban', jail: 'app', failures: 2 });
  });

  it('tells of a ban that is over, and what is remembered of it', async () => {
    daemon.config('jail.local', daemon.section('app', 'maxretry = 1\nbantime = 1'));
    await daemon.start();
    daemon.fail('app', '203.0.113.1');
    await daemon.sees('unban', { ip: '203.0.113.1' });
    const [jail] = views().why('203.0.113.1').jails;
    expect(jail).toMatchObject({
      bans: [],
      past: [{ ip: '203.0.113.1', count: 1, lines: [logged] }],
    });
  });

  it('tells the prefix that stands for an IPv6 address, and what it did', async () => {
    daemon.config('jail.local', daemon.section('app', 'maxretry = 3'));
    await daemon.start();
    daemon.fail('app', '2001:db8:1:2::1');
    daemon.fail('app', '2001:db8:1:2::2');
    await daemon.sees('found', { failures: 2 });
    expect(views().why('2001:db8:1:2::99').jails[0]).toMatchObject({
      countsAs: '2001:db8:1:2::/64',
      failures: { count: 2 },
    });
    daemon.fail('app', '2001:db8:1:2::3');
    await daemon.sees('ban');
    const found = views().why('2001:db8:1:2::99');
    expect(found.jails[0]!.bans[0]).toMatchObject({ ip: '2001:db8:1:2::/64' });
    expect(found.events.at(-1)).toMatchObject({ event: 'ban', ip: '2001:db8:1:2::/64' });
  });

  it('tells the wider ban that covers an address, and the bans within a prefix', async () => {
    daemon.config('jail.local', daemon.section('app'));
    await daemon.start();
    await daemon.control.ban('app', ['203.0.113.0/24', '198.51.100.7', '198.51.100.8']);
    expect(views().why('203.0.113.9').jails[0]!.bans).toMatchObject([
      { ip: '203.0.113.0/24', failures: null },
    ]);
    expect(
      views()
        .why('198.51.100.0/24')
        .jails[0]!.bans.map(({ ip }) => ip),
    ).toEqual(['198.51.100.7', '198.51.100.8']);
  });

  it('tells the entry of ignoreip, and why nobody bans an address of this host', async () => {
    daemon.config('jail.local', daemon.section('app', 'ignoreip = 198.51.100.64/26'));
    await daemon.start();
    daemon.fail('app', '198.51.100.70');
    await daemon.sees('ignored', { ip: '198.51.100.70' });
    const ignored = views().why('198.51.100.70');
    expect(ignored.jails[0]!.ignoredBy).toBe('198.51.100.64/26');
    expect(ignored.events).toMatchObject([{ event: 'ignored', reason: 'ignoreip' }]);
    expect(views().why('127.0.0.1').neverBanned).toBe('it is a loopback address');
  });

  it('is not fooled by a text that looks like an address', async () => {
    daemon.config('jail.local', daemon.section('app', 'maxretry = 9'));
    await daemon.start();
    daemon.fail('app', '203.0.113.11');
    await daemon.sees('found');
    expect(views().why('203.0.113.1').events).toEqual([]);
  });
});

describe('stats', () => {
  it('counts what happened, and what is remembered', async () => {
    daemon.config(
      'jail.local',
      daemon.section('app', 'maxretry = 2\nbantime = 600') + daemon.section('quiet'),
    );
    await daemon.start();
    daemon.fail('app', '203.0.113.1', 2);
    daemon.fail('app', '203.0.113.2', 1);
    await daemon.sees('found', { ip: '203.0.113.2' });
    await daemon.control.ban('app', ['203.0.113.3']);
    await daemon.control.unban('app', ['203.0.113.3']);
    // Written within a tenth of a second.
    await expect.poll(() => [...views().export()].join('')).toContain('203.0.113.1');
    const stats = views().stats();
    expect(stats.jails.map(({ jail }) => jail)).toEqual(['app', 'quiet']);
    expect(stats.jails[0]).toEqual({
      jail: 'app',
      active: true,
      failures: 3,
      bans: 2,
      restored: 0,
      unbans: 1,
      uncorroborated: 0,
      currentlyFailed: 1,
      currentlyBanned: 1,
      lastMinute: { failures: 3, bans: 2 },
      remembered: { addresses: 1, bans: 1 },
    });
    expect(stats.offenders).toMatchObject([{ ip: '203.0.113.1', bans: 1, jails: ['app'] }]);
    expect(stats.days).toMatchObject([{ addresses: 1 }]);
    expect(stats.memory.resident).toBeGreaterThan(1_000_000);
    expect(stats.sources).toContainEqual(
      expect.objectContaining({ source: daemon.logPath('app'), matched: 3, gaps: 0 }),
    );
  });
});

describe('export and import', () => {
  it('take bans along: what ran here is enforced there at once, with its times, counts and lines', async () => {
    daemon.config(
      'jail.local',
      daemon.section('app', 'maxretry = 2\nbantime = 600') + daemon.section('sshd'),
    );
    await daemon.start();
    daemon.fail('app', '203.0.113.1', 2);
    await daemon.sees('ban');
    await daemon.control.ban('sshd', ['203.0.113.0/24', '2001:db8::/64']);
    const file = join(daemon.folder, 'bans.json');
    await exportBans(await clientOf(daemon), file, process.stdout);

    const other = new LiveDaemon();
    onTestFinished(() => other.end());
    other.config('jail.local', other.section('app', 'ignoreip = 198.51.100.1'));
    await other.start();
    const client = await clientOf(other);
    expect(await importFile(client, file)).toEqual({
      printed: 'Imported: 3 active bans, 1 of them enforced now, and the history of 0 expired bans\n',
      warned: '2 bans wait for jail sshd, which does not run: they are enforced when it starts\n',
    });
    expect(other.control.banned()).toEqual({ app: ['203.0.113.1'] });
    expect(other.control.jail('app')!.banned).toEqual(daemon.control.jail('app')!.banned);
    expect(other.of('restore')).toMatchObject([{ jail: 'app', ip: '203.0.113.1' }]);
    const [ban] = other.control.views.why('203.0.113.1').jails[0]!.bans;
    expect(ban).toMatchObject({ count: 1, failures: 2, lines: [logged, logged] });

    other.config('jail.local', other.section('app') + other.section('sshd'));
    await other.control.live.reload(undefined);
    await expect
      .poll(() => other.control.banned())
      .toEqual({ app: ['203.0.113.1'], sshd: ['203.0.113.0/24', '2001:db8::/64'] });

    // Once more changes nothing, and comes to the same file.
    await importFile(client, file);
    expect(other.control.banned()['app']).toEqual(['203.0.113.1']);
    const bansOf = (text: string): { ip: string }[] => JSON.parse(text).bans;
    const sorted = (text: string) => bansOf(text).toSorted((a, b) => (a.ip < b.ip ? -1 : 1));
    expect(sorted([...other.control.views.export()].join(''))).toEqual(
      sorted([...views().export()].join('')),
    );
  });

  it("takes over fail2ban's database; what must not be banned here is not", async () => {
    daemon.config('jail.local', daemon.section('sshd', 'ignoreip = 198.51.100.0/24'));
    await daemon.start();
    const file = join(daemon.folder, 'fail2ban.sqlite3');
    const db = new DatabaseSync(file);
    // The columns of fail2ban's table.
    db.exec(
      'CREATE TABLE bips (ip TEXT, jail TEXT, timeofban INTEGER, bantime INTEGER, bancount INTEGER, data JSON)',
    );
    const now = Math.floor(Date.now() / 1000);
    const insert = db.prepare('INSERT INTO bips VALUES (?, ?, ?, ?, ?, ?)');
    for (const [ip, jail, began, bantime, count] of [
      ['203.0.113.1', 'sshd', now - 60, 600, 3],
      ['203.0.113.2', 'sshd', now - 60, -1, 1],
      ['203.0.113.3', 'sshd', now - 600, 60, 2],
      ['203.0.113.4', 'postfix', now - 60, 600, 1],
      ['198.51.100.7', 'sshd', now - 60, 600, 1],
      ['127.0.0.1', 'sshd', now - 60, 600, 1],
      ['nonsense', 'sshd', now - 60, 600, 1],
    ] as const) {
      insert.run(
        ip,
        jail,
        began,
        bantime,
        count,
        new TextEncoder().encode('{"matches":["no"],"failures":5}'),
      );
    }
    db.close();
    const { printed, warned } = await importFile(await clientOf(daemon), file);
    expect(printed).toBe(
      'Imported: 3 active bans, 2 of them enforced now, and the history of 1 expired bans\n',
    );
    expect(warned.split('\n').toSorted()).toEqual([
      '',
      '1 bans wait for jail postfix, which does not run: they are enforced when it starts',
      '127.0.0.1: not imported: it is a loopback address',
      '198.51.100.7: not imported: it overlaps 198.51.100.0/24, which is in ignoreip of jail sshd',
      'Left out: "nonsense" is no address',
    ]);
    expect(daemon.control.banned()).toEqual({ sshd: ['203.0.113.1', '203.0.113.2'] });
    expect(views().why('203.0.113.1').jails[0]!.bans[0]).toMatchObject({
      count: 3,
      failures: 5,
      lines: ['no'],
      until: new Date((now + 540) * 1000).toISOString(),
    });
    expect(views().why('203.0.113.3').jails[0]!.past[0]).toMatchObject({ count: 2 });
  });

  it('never shorten a ban', async () => {
    daemon.config('jail.local', daemon.section('app', 'bantime = -1'));
    await daemon.start();
    await daemon.control.ban('app', ['203.0.113.1']);
    const ban = {
      jail: 'app',
      ip: '203.0.113.1',
      since: new Date().toISOString(),
      until: new Date(Date.now() + 60_000).toISOString(),
      count: 7,
      failures: null,
      container: null,
      lines: [],
    };
    expect(await views().import([ban])).toMatchObject({ active: 1, enforced: 1 });
    expect(daemon.control.jail('app')!.banned).toMatchObject([{ ip: '203.0.113.1', until: null }]);
    expect(views().why('203.0.113.1').jails[0]!.bans[0]).toMatchObject({ count: 7, until: null });
    expect(daemon.of('restore')).toEqual([]);
  });

  it('lengthen a ban that ends earlier', async () => {
    daemon.config('jail.local', daemon.section('app', 'bantime = 600'));
    await daemon.start();
    await daemon.control.ban('app', ['203.0.113.1']);
    const until = new Date(Date.now() + 6_000_000).toISOString();
    const since = new Date().toISOString();
    const more = { count: 1, failures: null, container: null, lines: [] };
    await views().import([{ jail: 'app', ip: '203.0.113.1', since, until, ...more }]);
    expect(daemon.control.jail('app')!.banned).toMatchObject([{ ip: '203.0.113.1', until }]);
  });
});
