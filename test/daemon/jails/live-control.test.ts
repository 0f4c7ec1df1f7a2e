import { chmodSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JailEdit } from '../../../src/control/api.ts';
import { idOf } from '../../docker/fake-engine.ts';
import { LiveDaemon } from './live-daemon.ts';

let daemon: LiveDaemon;

beforeEach(() => {
  daemon = new LiveDaemon();
});

afterEach(async () => {
  await daemon.end();
});

const reload = (jail?: string) => daemon.control.live.reload(jail);

describe('reload', () => {
  it('changes a jail and keeps its bans and counts', async () => {
    daemon.config('jail.local', daemon.section('app', 'maxretry = 5'));
    await daemon.start();
    daemon.fail('app', '203.0.113.1', 5);
    daemon.fail('app', '203.0.113.2', 2);
    await daemon.sees('found', { ip: '203.0.113.2', failures: 2 });
    daemon.config('jail.local', daemon.section('app', 'maxretry = 3'));
    expect(await reload()).toEqual({
      applied: true,
      started: [],
      changed: ['app'],
      stopped: [],
      problems: [],
    });
    expect(daemon.control.banned()).toEqual({ app: ['203.0.113.1'] });
    daemon.fail('app', '203.0.113.2');
    await daemon.sees('ban', { ip: '203.0.113.2', failures: 3 });
    expect(daemon.of('found')).toHaveLength(8);
    expect(daemon.of('reloaded').at(-1)).toMatchObject({ changed: ['app'] });
  });

  it('takes a changed filter, and reads on where reading was', async () => {
    daemon.config('filter.d/own.conf', '[Definition]\nfailregex = ^\\s*bad <HOST>$\n');
    const section = daemon
      .section('app', 'maxretry = 9')
      .replace(/filter =\nfailregex.*\n/, 'filter = own\n');
    daemon.config('jail.local', section);
    await daemon.start();
    daemon.fail('app', '203.0.113.1', 3);
    await daemon.sees('found', { failures: 3 });
    daemon.config('filter.d/own.conf', '[Definition]\nfailregex = ^\\s*(?:bad|worse) <HOST>$\n');
    expect(await reload()).toMatchObject({ applied: true, changed: ['app'] });
    writeFileSync(daemon.logPath('app'), 'worse 203.0.113.1\n', { flag: 'a' });
    await daemon.sees('found', { failures: 4 });
    expect(daemon.of('found')).toHaveLength(4);
  });

  it.each([
    ['maxretry = many', 'maxretry: invalid count "many"'],
    ['failregex = ^bad <HOST', 'jail app is left out'],
    ['failregex = ^(bad <HOST>$', 'jail app is left out'],
    ['filter = nothing\nfailregex =', 'jail app is left out: there is no filter nothing'],
    ['ignoreip = 192.0.2.0/33', 'ignoreip: invalid address or network "192.0.2.0/33"'],
    ['this is no option', '"this is no option" is neither'],
    ['logpath = %(nowhere)s/x.log', 'it refers to %(nowhere)s'],
  ])('does not take a bad edit, and says where it is: %s', async (line, message) => {
    daemon.config('jail.local', daemon.section('app', 'maxretry = 3'));
    await daemon.start();
    daemon.fail('app', '203.0.113.1', 3);
    await daemon.sees('ban');
    const text = daemon.section('app', `maxretry = 2\n${line}`);
    daemon.config('jail.local', `${text}${daemon.section('other')}`);
    const result = await reload();
    expect(result).toMatchObject({ applied: false, started: [], changed: [], stopped: [] });
    const problem = result!.problems.find((one) => one.message.includes(message))!;
    expect(problem.where).toMatch(/jail\.local:\d+$/);
    const at = Number(/\d+$/.exec(problem.where)![0]);
    expect(text.split('\n')[at - 1]).toBe(line.split('\n')[0]);
    expect(problem.fix).not.toBe('');
    await daemon.sees('config-error', { where: problem.where, fix: problem.fix });
    expect(daemon.control.live.options('app')).toMatchObject({ maxretry: 3 });
    expect(daemon.control.live.options('other')).toBeUndefined();
    expect(daemon.control.banned()).toEqual({ app: ['203.0.113.1'] });
    daemon.config('jail.local', daemon.section('app', 'maxretry = 2'));
    expect(await reload()).toMatchObject({ applied: true, changed: ['app'], problems: [] });
    expect(daemon.control.live.options('app')).toMatchObject({ maxretry: 2 });
  });

  it('starts new jails and stops those that are gone, whose bans run on', async () => {
    daemon.config('jail.local', daemon.section('app', 'maxretry = 1'));
    await daemon.start();
    daemon.fail('app', '203.0.113.1');
    await daemon.sees('ban');
    daemon.config('jail.local', '');
    daemon.config('jail.d/new.conf', daemon.section('new', 'maxretry = 1'));
    expect(await reload()).toMatchObject({ applied: true, started: ['new'], stopped: ['app'] });
    daemon.fail('new', '203.0.113.2');
    await daemon.sees('ban', { jail: 'new', ip: '203.0.113.2' });
    expect(daemon.control.status().jails).toEqual(['new']);
    expect(daemon.control.banned()).toEqual({ app: ['203.0.113.1'], new: ['203.0.113.2'] });
  });

  it('is not held up by faults that were there before, and says them', async () => {
    const broken = daemon.section('broken', 'findtime = soon');
    daemon.config('jail.local', broken + daemon.section('app'));
    await daemon.start();
    daemon.config('jail.local', `# moved down\n${broken}${daemon.section('app', 'maxretry = 2')}`);
    const result = await reload();
    expect(result).toMatchObject({ applied: true, changed: ['app'] });
    expect(result!.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('findtime: invalid duration "soon"'),
    ]);
    daemon.config('jail.local', broken + daemon.section('app', 'findtime = soon'));
    expect(await reload()).toMatchObject({ applied: false });
    expect(daemon.control.live.options('app')).toMatchObject({ maxretry: 2, findtime: 600 });
  });

  it('takes one jail alone', async () => {
    daemon.config('jail.local', daemon.section('a') + daemon.section('b'));
    await daemon.start();
    daemon.config('jail.local', daemon.section('a', 'bantime = 1h') + daemon.section('b', 'bantime = 2h'));
    expect(await reload('a')).toMatchObject({ applied: true, changed: ['a'] });
    await daemon.engine.emit('{}');
    expect(await reload('none')).toBeUndefined();
    expect(daemon.control.live.options('a')).toMatchObject({ bantime: 3600 });
    expect(daemon.control.live.options('b')).toMatchObject({ bantime: 600 });
    expect(await reload()).toMatchObject({ applied: true, changed: ['b'] });
  });

  it('keeps everything while the configuration can not be read', async () => {
    daemon.config('jail.local', daemon.section('app'));
    await daemon.start();
    rmSync(join(daemon.configDir, 'jail.local'));
    // A loop of links can't be read by anybody, root included.
    symlinkSync('jail.local', join(daemon.configDir, 'jail.local'));
    const result = await reload();
    expect(result).toMatchObject({ applied: false });
    expect(result!.problems[0]).toMatchObject({ where: join(daemon.configDir, 'jail.local') });
    expect(daemon.control.status().jails).toEqual(['app']);
  });

  it('works with a directory that comes later, and one that can only be read', async () => {
    await daemon.start();
    expect(await reload()).toMatchObject({ applied: true, started: [] });
    daemon.config('jail.local', daemon.section('app'));
    chmodSync(daemon.configDir, 0o555);
    expect(await reload()).toMatchObject({ applied: true, started: ['app'] });
    chmodSync(daemon.configDir, 0o755);
  });

  it('shares one that has not begun', async () => {
    daemon.config('jail.local', daemon.section('app'));
    await daemon.start();
    const results = await Promise.all(Array.from({ length: 50 }, () => reload()));
    expect(results).toHaveLength(50);
    expect(daemon.of('reloaded')).toHaveLength(1);
  });
});

describe('options and edits', () => {
  it('hold at once, over events of Docker too, until a reload', async () => {
    daemon.config('jail.local', daemon.section('app', 'bantime = 1h\nignoreip = 192.0.2.1\nmaxretry = 4'));
    await daemon.start();
    const { live } = daemon.control;
    const edited = await live.edit('app', {
      set: { bantime: '2h', maxretry: '2', 'bantime.increment': 'true', 'bantime.factor': '2' },
      addignoreip: ['198.51.100.0/24', 'example.com'],
      delignoreip: ['192.0.2.1'],
      addfailregex: ['^worse <HOST>$'],
      addignoreregex: ['good'],
    });
    const expected = {
      bantime: 7200,
      maxretry: 2,
      ignoreip: ['198.51.100.0/24', 'example.com'],
      failregex: [daemon.failregex, '^worse <HOST>$'],
      ignoreregex: ['good'],
      increment: { 'bantime.increment': 'true', 'bantime.factor': '2' },
      logpath: [daemon.logPath('app')],
    };
    expect(edited).toMatchObject(expected);
    daemon.engine.containers = [{ id: idOf('a1'), name: 'web', labels: {} }];
    await daemon.engine.emit('{}');
    await live.edit('app', {});
    expect(live.options('app')).toMatchObject(expected);
    writeFileSync(daemon.logPath('app'), 'worse 203.0.113.1\nworse 203.0.113.1\n');
    daemon.fail('app', '198.51.100.7', 2);
    await daemon.sees('ban', { ip: '203.0.113.1', bantime: 7200 });
    await daemon.sees('ignored', { ip: '198.51.100.7' });
    expect(await live.edit('app', { delfailregex: [0], delignoreregex: [0] })).toMatchObject({
      failregex: ['^worse <HOST>$'],
      ignoreregex: [],
    });
    await reload();
    expect(live.options('app')).toMatchObject({
      bantime: 3600,
      maxretry: 4,
      ignoreip: ['192.0.2.1'],
      failregex: [daemon.failregex],
      increment: {},
    });
    expect(daemon.control.banned()).toEqual({ app: ['203.0.113.1'] });
  });

  it('and stops hold while containers are re-created', async () => {
    const web = (id: string, jail: string) => ({
      id: idOf(id),
      name: 'web',
      labels: { 'fail2ban.jail': jail, 'fail2ban.filter': 'nginx-proxy', 'fail2ban.maxretry': '7' },
      logDriver: 'syslog',
      logOptions: { tag: 'web' },
    });
    await daemon.start([web('a1', 'web,api')]);
    const { live } = daemon.control;
    expect(live.options('web')).toMatchObject({ maxretry: 7, logpath: [join(daemon.folder, 'syslog')] });
    await live.edit('web', { set: { maxretry: '2' } });
    await live.stop('api');
    daemon.engine.containers = [web('b2', 'web,api,late')];
    await daemon.engine.emit('{}');
    await daemon.sees('jail-started', { jail: 'late' });
    expect(daemon.control.status().jails).toEqual(['late', 'web']);
    expect(live.options('web')).toMatchObject({ maxretry: 2 });
    expect(await reload('web')).toMatchObject({ applied: true, changed: ['web'] });
    expect(live.options('web')).toMatchObject({ maxretry: 7 });
    expect(await live.start('api')).toBe(true);
    expect(daemon.control.status().jails).toEqual(['api', 'late', 'web']);
  });

  it.each<[JailEdit, string]>([
    [{ set: { bantime: 'soon' } }, 'bantime: invalid duration "soon"'],
    [{ set: { maxretry: '0' } }, 'maxretry: invalid count "0"'],
    [{ set: { maxretri: '3' } }, 'maxretri: there is no such option'],
    [{ set: { port: '80' } }, "port: it can't be changed in a running jail"],
    [{ set: { 'bantime.formula': 'process.exit()' } }, 'bantime.formula: '],
    [{ set: { datepattern: '%Q' } }, ''],
    [{ addignoreip: ['1.2.3'] }, 'ignoreip: invalid address or network "1.2.3"'],
    [{ delignoreip: ['192.0.2.9'] }, 'ignoreip: "192.0.2.9" is not in it'],
    [{ addfailregex: ['^(bad <HOST>'] }, ''],
    [{ addfailregex: ['no host'] }, ''],
    [{ delfailregex: [0] }, 'failregex: none would be left'],
    [{ delfailregex: [7] }, 'failregex: there is no number 7'],
    [{ delignoreregex: [0] }, 'ignoreregex: there is no number 0'],
  ])('refuses %j and changes nothing', async (edit, message) => {
    daemon.config('jail.local', daemon.section('app'));
    await daemon.start();
    const { live } = daemon.control;
    const before = live.options('app');
    const refused = live.edit('app', { ...edit, set: { findtime: '7m', ...edit.set } });
    await expect(refused).rejects.toMatchObject({
      code: 'invalid-option',
      message: expect.stringContaining(message),
      fix: expect.stringMatching(/./),
    });
    expect(live.options('app')).toEqual(before);
    expect(await live.edit('none', edit)).toBeUndefined();
  });
});

describe('start and stop by hand', () => {
  it('lift the bans and bring them back, and hold over events of Docker', async () => {
    daemon.config('jail.local', daemon.section('app', 'maxretry = 1') + daemon.section('b', 'maxretry = 1'));
    await daemon.start();
    const { control } = daemon;
    daemon.fail('app', '203.0.113.1');
    daemon.fail('b', '203.0.113.2');
    await daemon.sees('ban', { jail: 'app' });
    await daemon.sees('ban', { jail: 'b' });
    expect(await control.live.stop('app')).toBe(true);
    expect(control.banned()).toEqual({ b: ['203.0.113.2'] });
    expect(daemon.of('jail-stopped').at(-1)!.msg).toBe('[app] Stopped: by hand; its ban is lifted');
    daemon.engine.containers = [{ id: idOf('a1'), name: 'web', labels: {} }];
    await daemon.engine.emit('{}');
    expect(await control.live.stop('app')).toBe(false);
    expect(control.status().jails).toEqual(['b']);
    expect(await control.live.start('app')).toBe(true);

    await daemon.sees('restore', { jail: 'app', ip: '203.0.113.1' });
    expect(control.banned()).toEqual({ app: ['203.0.113.1'], b: ['203.0.113.2'] });
    daemon.fail('app', '203.0.113.3');
    await daemon.sees('ban', { jail: 'app', ip: '203.0.113.3' });
    expect(daemon.of('found')).toHaveLength(3);
  });

  it('start a jail that the configuration does not enable, until a reload', async () => {
    daemon.config('jail.local', daemon.section('app').replace('enabled = true', 'enabled = false'));
    await daemon.start();
    const { live } = daemon.control;
    expect(daemon.control.status().jails).toEqual([]);
    expect(await live.start('app')).toBe(true);
    expect(await live.start('app')).toBe(true);
    expect(daemon.control.status().jails).toEqual(['app']);
    expect(await reload()).toMatchObject({ applied: true, stopped: ['app'] });
  });

  it('a reload starts what was stopped', async () => {
    daemon.config('jail.local', daemon.section('app'));
    await daemon.start();
    await daemon.control.live.stop('app');
    expect(await reload('app')).toMatchObject({ applied: true, started: ['app'] });
    await daemon.control.live.stop('app');
    expect(await reload()).toMatchObject({ applied: true, started: ['app'] });
  });

  it('say why a jail can not run, and know no jail that nobody defines', async () => {
    daemon.config('jail.local', '[empty]\nfilter =\nfailregex = ^\\s*bad <HOST>$\n');
    await daemon.start();
    const { live } = daemon.control;
    await expect(live.start('empty')).rejects.toMatchObject({
      code: 'not-started',
      message: 'jail empty has no logpath, and no container names it',
    });
    expect(await live.start('none')).toBe(false);
    expect(await live.stop('none')).toBe(false);
    expect(await live.stop('empty')).toBe(false);
  });
});

describe('attempt', () => {
  it('counts as if it had been logged, and bans at maxretry', async () => {
    daemon.config('jail.local', daemon.section('app', 'maxretry = 3\nignoreip = 198.51.100.7'));
    await daemon.start();
    const { live } = daemon.control;
    daemon.fail('app', '203.0.113.1');
    await daemon.sees('found', { failures: 1 });
    expect(await live.attempt('app', ['203.0.113.1', '198.51.100.7', '127.0.0.1'], [])).toEqual({
      count: 1,
      refused: [
        { ip: '198.51.100.7', reason: 'not counted: it is in ignoreip of jail app' },
        { ip: '127.0.0.1', reason: 'not counted: it is a loopback address' },
      ],
    });
    await daemon.sees('found', { failures: 2 });
    expect(daemon.of('ban')).toEqual([]);
    await live.attempt('app', ['203.0.113.1'], ['a line']);
    await daemon.sees('ban', { ip: '203.0.113.1', failures: 3 });
    await live.attempt('app', ['203.0.113.9'], ['one', 'two', 'three']);
    await daemon.sees('ban', { ip: '203.0.113.9' });
    await live.attempt('app', ['203.0.113.10'], []);
    await live.attempt('app', ['203.0.113.10'], ['two', 'three']);
    await daemon.sees('ban', { ip: '203.0.113.10', failures: 3 });
    expect(await live.attempt('none', ['203.0.113.1'], [])).toBeUndefined();
    await vi.waitFor(() =>
      expect(daemon.control.banned()).toEqual({ app: ['203.0.113.1', '203.0.113.9', '203.0.113.10'] }),
    );
  });
});
