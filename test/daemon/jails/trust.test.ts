import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeContainer, idOf, json } from '../../docker/fake-engine.ts';
import { LiveDaemon } from './live-daemon.ts';

let daemon: LiveDaemon;

beforeEach(() => {
  daemon = new LiveDaemon();
});
afterEach(() => daemon.end());

const image = (start: string): string => `sha256:${start.padEnd(64, '0')}`;

function web(name: string, labels: Record<string, string>, more: Partial<FakeContainer> = {}): FakeContainer {
  const ports = { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] };
  return {
    id: idOf(Buffer.from(name).toString('hex')),
    name,
    labels,
    ports,
    created: '2026-11-22T13:00:00Z',
    ...more,
  };
}

const hostile = {
  'fail2ban.ignoreip': '0.0.0.0/0',
  'fail2ban.port': 'all',
  'fail2ban.bantime': '-1',
  'fail2ban.failregex': '<HOST>',
};

/** What is so in a jail, but for where its lines come from. */
function options(jail: string): unknown {
  const { logpath: _, ...others } = daemon.control.live.options(jail)!;
  return others;
}

/** Changes what the engine has, and lets it tell. */
async function becomes(...containers: FakeContainer[]): Promise<void> {
  daemon.engine.containers = containers;
  await daemon.engine.emit('{"status":"start"}\n');
}

describe('a hostile container', () => {
  it("changes nothing of an operator's jail, and one warning says so", async () => {
    daemon.config('jail.local', daemon.section('app', 'maxretry = 3\n'));
    await daemon.start();
    const before = options('app');
    await becomes(web('evil', { 'fail2ban.jail': 'app', ...hostile }));
    await daemon.sees('jail-changed', { jail: 'app', containers: ['evil'], ports: '8000/tcp, 8080/tcp' });
    expect(daemon.of('config-error')).toMatchObject([{ container: 'evil', jail: 'app' }]);
    expect(options('app')).toEqual(before);
    daemon.fail('app', '203.0.113.9', 3);
    await daemon.sees('ban', { jail: 'app', ip: '203.0.113.9', bantime: 600 });
  });

  it("does not get another container's jail while that is made anew, or over a restart, but by a reload", async () => {
    const victim = web('victim', {
      'fail2ban.jail': 'app',
      'fail2ban.failregex': '^bad <HOST>$',
      'fail2ban.maxretry': '3',
    });
    const evil = web(
      'evil',
      { 'fail2ban.jail': 'app', 'fail2ban.failregex': '<HOST>', 'fail2ban.maxretry': '99' },
      { created: '2026-11-22T14:00:00Z' },
    );
    await daemon.start([victim, evil]);
    const before = options('app');
    await becomes(evil);
    await daemon.sees('jail-changed', { jail: 'app', containers: ['evil'] });
    expect(options('app')).toEqual(before);
    await daemon.restart();
    await daemon.sees('jail-started', { jail: 'app', containers: ['evil'] });
    expect(options('app')).toEqual(before);
    await becomes({ ...victim, id: idOf('b2'), created: '2026-11-22T15:00:00Z' }, evil);
    await daemon.sees('jail-changed', { jail: 'app', containers: ['evil', 'victim'] });
    expect(options('app')).toEqual(before);
    await becomes(evil);
    await daemon.sees('jail-changed', { jail: 'app', containers: ['evil'] });
    expect(await daemon.control.live.reload(undefined)).toMatchObject({ applied: true, changed: ['app'] });
    expect(options('app')).not.toEqual(before);
  });
});

describe('log files that a label names', () => {
  const failregex = '^bad <HOST>$';
  const file = (name: string): FakeContainer => {
    const logpath = join(daemon.folder, 'logs', '*.log');
    return web(name, { 'fail2ban.jail': name, 'fail2ban.failregex': failregex, 'fail2ban.logpath': logpath });
  };

  it('are read below the roots, and not where a link leads out of them', async () => {
    const logs = join(daemon.folder, 'logs');
    mkdirSync(logs);
    daemon.labels = { trustImageLabels: false, logRoots: [logs] };
    writeFileSync(join(logs, 'own.log'), '');
    writeFileSync(join(daemon.folder, 'secret'), '');
    symlinkSync('../secret', join(logs, 'link.log'));
    await daemon.start([file('app')]);
    await daemon.sees('source-lost', { source: join(logs, 'link.log') });
    appendFileSync(join(daemon.folder, 'secret'), 'bad 203.0.113.8\n'.repeat(5));
    appendFileSync(join(logs, 'own.log'), 'bad 203.0.113.9\n'.repeat(5));
    await daemon.sees('ban', { jail: 'app', ip: '203.0.113.9' });
    expect(daemon.of('found').filter(({ ip }) => ip === '203.0.113.8')).toEqual([]);
    expect(daemon.of('source-lost')[0]!.msg).toContain('--log-roots');
  });

  it('are none outside of the roots, and the whole host is not searched for them', async () => {
    const everything = {
      'fail2ban.jail': 'app',
      'fail2ban.failregex': failregex,
      'fail2ban.logpath': '/**/*',
    };
    await daemon.start([web('evil', everything), web('app2', { 'fail2ban.jail': 'sshd' })]);
    expect(daemon.control.status().jails).toEqual(['sshd']);
    expect(daemon.of('config-error')).toMatchObject([{ container: 'evil', jail: 'app' }]);
  });

  it('are a thousand at most, also for the files of the operator', async () => {
    daemon.config(
      'jail.local',
      `[app]\nenabled = true\nfilter =\nfailregex = ${failregex}\nlogpath = /**/*.nothing\n`,
    );
    const started = performance.now();
    await daemon.start();
    await daemon.sees('source-cut', { source: '/**/*.nothing' });
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe("an image's labels", () => {
  const labels = { 'fail2ban.jail': 'sshd', 'fail2ban.allowfrom': '192.0.2.0/24' };
  const from = web('app', labels, { imageId: image('e1') });

  it('decide nothing, of a container that is to start neither, and one warning names the fix', async () => {
    daemon.engine.images[image('e1')] = labels;
    const bindings = { '80/tcp': [{ HostIp: '', HostPort: '8081' }] };
    await daemon.start([from, { ...from, id: idOf('b'), name: 'waits', state: 'created', bindings }]);
    expect(daemon.control.status()).toMatchObject({ jails: [], access: [] });
    expect(daemon.of('config-error')).toMatchObject([
      { container: 'app', msg: expect.stringContaining('--trust-image-labels') },
    ]);
  });

  it('decide where the operator trusts images', async () => {
    daemon.engine.images[image('e1')] = labels;
    daemon.labels = { trustImageLabels: true, logRoots: [] };
    await daemon.start([from]);
    expect(daemon.control.status()).toMatchObject({
      jails: ['sshd'],
      access: [{ container: 'app' }],
    });
    expect(daemon.of('config-error')).toEqual([]);
  });

  it('leave those in force that the container has of its own', async () => {
    daemon.engine.images[image('e1')] = { ...labels, 'fail2ban.jail': 'gitea' };
    await daemon.start([from]);
    expect(daemon.control.status()).toMatchObject({ jails: ['sshd'], access: [] });
  });

  it.each([
    ['403', (response) => json(response, 403, { message: 'Forbidden' })],
    ['404', (response) => json(response, 404, { message: 'No such image' })],
  ] satisfies [string, Parameters<typeof failing>[0]][])(
    'are believed where the engine answers %s, and that is said once',
    async (_, answer) => {
      failing(answer);
      await daemon.start([from]);
      expect(daemon.control.status()).toMatchObject({
        jails: ['sshd'],
        access: [{ container: 'app' }],
      });
      expect(daemon.of('config-notice')).toMatchObject([
        { container: 'app', msg: expect.stringContaining('IMAGES=1') },
      ]);
    },
  );

  it('hold up their own container alone where the engine does not answer, and not for long', async () => {
    failing(() => undefined);
    const other = web('other', { 'fail2ban.jail': 'gitea' }, { imageId: image('e2') });
    daemon.engine.images[image('e2')] = {};
    await daemon.start([from, other]);
    expect(daemon.control.status()).toMatchObject({ jails: ['gitea'], access: [] });
    await daemon.sees('jail-started', { jail: 'sshd' });
    expect(daemon.control.status()).toMatchObject({ access: [{ container: 'app' }] });
  });
});

/** Questions for the first image are answered so. */
function failing(answer: (response: Parameters<typeof json>[0]) => void): void {
  daemon.engine.intercept = (path, response) => {
    if (!path.startsWith(`/images/${image('e1')}`)) return false;
    answer(response);
    return true;
  };
}
