import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { idOf } from '../../docker/fake-engine.ts';
import { LiveDaemon } from './live-daemon.ts';

let daemon: LiveDaemon;

beforeEach(() => {
  daemon = new LiveDaemon();
});

afterEach(async () => {
  await daemon.end();
});

const reloads = 1000;

/** `10.a.b.c`, one for each number. */
const addressOf = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;

/** Timers come and go; what stays open is what counts. */
const handles = () =>
  process.getActiveResourcesInfo().filter((kind) => !/Timeout|Immediate/.test(kind)).length;
const openFiles = () => readdirSync('/proc/self/fd').length;

describe('reloads under load', () => {
  it('lose no line, count none twice, and leave nothing open', async () => {
    const jails = (maxretry: number) =>
      daemon.section('app', `maxretry = ${maxretry}\nbantime = -1`) +
      daemon.section('flip', `maxretry = 5\nfindtime = ${600 + maxretry}`);
    daemon.config('jail.local', jails(2));
    daemon.config('filter.d/a.conf', '[Definition]\nfailregex = ^\\s*bad <HOST>$\n');
    await daemon.start();
    daemon.fail('app', '192.0.2.1');
    await daemon.sees('found', { ip: '192.0.2.1' });
    const { live } = daemon.control;
    for (let index = 0; index < 5; index++) await live.reload(undefined);
    const before = { handles: handles(), files: openFiles() };
    const seen = daemon.of('found').length;
    let written = 0;
    const write = (): void => {
      const at = new Date().toISOString();
      let text = '';
      for (let line = 0; line < 20; line++) text += `${at} bad ${addressOf(written++)}\n`;
      appendFileSync(daemon.logPath('app'), text);
    };
    for (let round = 0; round < reloads; round++) {
      write();
      // The filter changes each time, and the limits too.
      const failregex = `^\\s*${round % 2 === 0 ? '(?:bad)' : 'bad'} <HOST>$`;
      const section = jails(3 - (round % 2)).replaceAll(/failregex = .*/g, `failregex = ${failregex}`);
      daemon.config('jail.local', section);
      expect(await live.reload(undefined)).toMatchObject({ applied: true, changed: ['app', 'flip'] });
    }
    write();
    await vi.waitFor(() => expect(daemon.of('found').length).toBeGreaterThanOrEqual(seen + written), {
      timeout: 30_000,
      interval: 50,
    });
    const found = daemon.of('found').slice(seen);
    expect(found).toHaveLength(written);
    expect(new Set(found.map(({ ip }) => ip)).size).toBe(written);
    expect(new Set(found.map(({ failures }) => failures))).toEqual(new Set([1]));
    expect(daemon.of('config-error')).toEqual([]);
    // What is open for a moment differs; a leak would be one a reload.
    expect(handles() - before.handles).toBeLessThan(reloads / 20);
    expect(openFiles() - before.files).toBeLessThan(reloads / 20);
    expect(daemon.control.jail('app')).toMatchObject({ totalFailed: written + 1, currentlyBanned: 0 });
  }, 120_000);

  it('go on where reading was when a log is read in another way', async () => {
    const ways = ['logencoding = utf-8', 'logencoding = latin1', 'backend = polling'];
    const jails = (way: string) => daemon.section('app', `maxretry = 100\n${way}`) + other;
    const other = daemon.section('other', 'maxretry = 100').replace('other.log', 'app.log');
    daemon.config('jail.local', jails(''));
    await daemon.start();
    let written = 0;
    const write = (): void => {
      for (let line = 0; line < 50; line++) daemon.fail('app', addressOf(written++));
    };
    for (let round = 0; round < 40; round++) {
      write();
      daemon.config('jail.local', jails(ways[round % ways.length]!));
      expect(await daemon.control.live.reload(undefined)).toMatchObject({ applied: true });
      write();
      await delay(round % 7);
    }
    for (const jail of ['app', 'other']) {
      const found = () => daemon.of('found').filter((event) => event['jail'] === jail);
      await vi.waitFor(() => expect(found().length).toBeGreaterThanOrEqual(written), { timeout: 30_000 });
      expect(found()).toHaveLength(written);
      expect(new Set(found().map(({ failures }) => failures))).toEqual(new Set([1]));
    }
  }, 120_000);

  it("lose no line of a container's either", async () => {
    const filter = (round: number) =>
      daemon.config(
        'filter.d/web.local',
        `[Definition]\nfailregex = ^ *${round % 2 ? 'bad' : '(?:bad)'} <HOST>$\n`,
      );
    daemon.config('filter.d/web.conf', '[Definition]\nfailregex = ^ *bad <HOST>$\n');
    filter(0);
    const container = {
      id: idOf('a1'),
      name: 'web',
      labels: { 'fail2ban.jail': 'web', 'fail2ban.maxretry': '100' },
      logDriver: 'syslog',
      logOptions: { tag: 'web' },
    };
    await daemon.start([container]);
    let written = 0;
    for (let round = 1; round <= 200; round++) {
      const at = new Date().toISOString();
      for (let line = 0; line < 10; line++) {
        const text = `${at} host web[1]: bad ${addressOf(written++)}\n`;
        appendFileSync(join(daemon.folder, 'syslog'), text);
      }
      filter(round);
      expect(await daemon.control.live.reload(undefined)).toMatchObject({ applied: true, changed: ['web'] });
    }
    await vi.waitFor(() => expect(daemon.of('found').length).toBeGreaterThanOrEqual(written), {
      timeout: 30_000,
    });
    expect(new Set(daemon.of('found').map(({ ip }) => ip)).size).toBe(written);
    expect(daemon.of('found')).toHaveLength(written);
  }, 120_000);
});
