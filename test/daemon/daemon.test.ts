import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfigTree } from '../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../src/config/resolve.ts';
import type { Controller } from '../../src/control/controller.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import { engineConnector } from '../../src/docker/engine/engine-connector.ts';
import { DryRunFirewall } from '../../src/firewall/dry-run.ts';
import { FirewallError } from '../../src/firewall/tool/errors.ts';
import type { Firewall } from '../../src/firewall/firewall.ts';
import { Store } from '../../src/store/store.ts';
import { type FakeContainer, FakeEngine, idOf } from '../docker/fake-engine.ts';

const builtinDir = fileURLToPath(new URL('../../filters', import.meta.url));

interface Event {
  readonly event: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

let folder: string;
let syslog: string;
let engine: FakeEngine;
let end: AbortController;
let done: Promise<void>;
let events: Event[];
let firewall: Firewall;
let control: Controller;

/** nginx-proxy as compose.example.yml starts it. */
function nginxProxy(changes: Partial<FakeContainer> = {}): FakeContainer {
  return {
    id: idOf('a1'),
    name: 'nginx-proxy',
    labels: { 'fail2ban.jail': 'nginx-proxy' },
    ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '80' }] },
    logDriver: 'syslog',
    logOptions: { tag: 'nginx-proxy' },
    ...changes,
  };
}

async function start(containers: FakeContainer[]): Promise<void> {
  engine.containers = containers;
  const tree = await loadConfigTree({ builtinDir, configDir: join(folder, 'fail2ban') });
  const daemon = new Daemon({
    version: '0.0.0',
    logger: pino({ level: 'info' }, { write: (line: string) => void events.push(JSON.parse(line)) }),
    connectDocker: engineConnector(`unix://${engine.socketPath}`),
    createFirewall: (neverBan) => {
      firewall = new DryRunFirewall({ neverBan, report: () => undefined });
      return firewall;
    },
    resolve: ({ containers: list }) =>
      resolveJails({ tree, containers: list, compileFilter: () => undefined }),
    openStore: (hooks) => new Store({ stateDir: join(folder, 'state'), purgeAge: 86_400, ...hooks }),
    syslogFile: syslog,
  });
  control = daemon.control();
  end = new AbortController();
  done = (async () => {
    await daemon.run(end.signal);
    await daemon.stop(false);
  })();
}

function log(program: string, ip: string, times = 1): void {
  const at = new Date().toISOString();
  const request = `app.example.com ${ip} - - [x] "GET /x HTTP/1.1" 404 1 "-" "curl" "-"`;
  appendFileSync(syslog, `${at} host ${program}[1]: ${request}\n`.repeat(times));
}

async function sees(event: string, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ event, ...fields })), {
    timeout: 5000,
    interval: 10,
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-daemon-'));
  syslog = join(folder, 'syslog');
  writeFileSync(syslog, '');
  engine = await new FakeEngine().start();
  events = [];
});

afterEach(async () => {
  end.abort();
  await done;
  await engine.stop();
  rmSync(folder, { recursive: true });
});

describe('Daemon', () => {
  it('tells the story: what was found, who opted in, each failure and ban', async () => {
    await start([nginxProxy()]);
    await sees('ready');
    log('nginx-proxy', '198.51.100.66', 5);
    await sees('ban', { jail: 'nginx-proxy', ip: '198.51.100.66', failures: 5, bantime: 600 });
    expect(events.map(({ event, msg }) => [event, msg.replace(/ - \d.*/, '')])).toEqual(
      [
        ['dry-run', expect.any(String)],
        ['jail-started', '[nginx-proxy] Started for nginx-proxy: reads ' + syslog + '; a ban closes 80/tcp'],
        ['ready', expect.stringContaining('Docker 20.10.24')],
        ...Array.from({ length: 5 }, () => ['found', '[nginx-proxy] Found 198.51.100.66']),
        ['ban', '[nginx-proxy] Ban 198.51.100.66'],
      ].slice(1),
    );
    expect(control.banned()).toEqual({ 'nginx-proxy': ['198.51.100.66'] });
  });

  it("takes a line of several containers' shared tag once, and other programs' lines never", async () => {
    await start([nginxProxy(), nginxProxy({ id: idOf('b2'), name: 'nginx-proxy-2' })]);
    await sees('ready');
    log('nginx-proxy2', '203.0.113.9', 9);
    log('nginx-proxy', '198.51.100.66', 4);
    await sees('found', { failures: 4 });
    log('nginx-proxy', '198.51.100.66');
    await sees('ban', { failures: 5 });
    expect(events.filter(({ ip }) => ip === '203.0.113.9')).toEqual([]);
  });

  it("matches what a container prints with syslog's header, and without", async () => {
    const own = (failregex: string) => ({
      'fail2ban.jail': 'app',
      'fail2ban.failregex': failregex,
      'fail2ban.maxretry': '1',
    });
    await start([nginxProxy({ labels: own(String.raw`^\s*\S+ nginx-proxy\[\d+\]: \S+ <HOST> - `) })]);
    await sees('ready');
    log('nginx-proxy', '198.51.100.66');
    await sees('ban', { ip: '198.51.100.66' });
    engine.containers = [
      nginxProxy({ id: idOf('b2'), labels: own(String.raw`^app\.example\.com <HOST> - `) }),
    ];
    await engine.emit('{}');
    await sees('jail-changed');
    log('nginx-proxy', '198.51.100.67');
    await sees('ban', { ip: '198.51.100.67' });
    expect(events.filter(({ event }) => event === 'found')).toHaveLength(2);
  });

  it('says a problem of a label once, however often Docker is listed, and again after it was gone', async () => {
    const typo = nginxProxy({ labels: { 'fail2ban.jail': 'nginx-proxy', 'fail2ban.maxretry': 'many' } });
    await start([
      typo,
      nginxProxy({
        id: idOf('b2'),
        name: 'good',
        labels: { 'fail2ban.jail': 'good', 'fail2ban.filter': 'nginx-proxy' },
        logOptions: { tag: 'good' },
      }),
    ]);
    await sees('ready', { jails: ['good'] });
    engine.containers = [...engine.containers, nginxProxy({ id: idOf('c3'), name: 'third' })];
    await engine.emit('{}');
    await sees('jail-started', { jail: 'nginx-proxy' });
    const problems = () => events.filter(({ event }) => event === 'config-error');
    expect(problems()).toHaveLength(1);
    expect(problems()[0]).toMatchObject({ container: 'nginx-proxy', level: 40 });
    engine.containers = engine.containers.slice(1);
    const lists = engine.count(/containers.json/);
    await engine.emit('{}');
    await vi.waitFor(() => expect(engine.count(/containers.json/)).toBeGreaterThan(lists));
    engine.containers = [typo, ...engine.containers];
    await engine.emit('{}');
    await vi.waitFor(() => expect(problems()).toHaveLength(2));
  });

  it('keeps counts and bans of a jail while its container is re-created', async () => {
    await start([nginxProxy()]);
    await sees('ready');
    log('nginx-proxy', '198.51.100.66', 5);
    log('nginx-proxy', '198.51.100.67', 4);
    await sees('found', { ip: '198.51.100.67', failures: 4 });
    engine.containers = [];
    await engine.emit('{}');
    await sees('jail-stopped');
    expect(control.jail('nginx-proxy')).toBeUndefined();
    expect(control.banned()).toEqual({ 'nginx-proxy': ['198.51.100.66'] });
    engine.containers = [nginxProxy({ id: idOf('b2') })];
    await engine.emit('{}');
    await vi.waitFor(() => expect(control.jail('nginx-proxy')).toBeDefined());
    log('nginx-proxy', '198.51.100.67');
    await sees('ban', { ip: '198.51.100.67', failures: 5 });
    expect(control.jail('nginx-proxy')).toMatchObject({ currentlyBanned: 2, totalBanned: 2 });
  });

  it('waits for an engine that is not there yet, says so once, and touches nothing until then', async () => {
    await engine.stop();
    const reconcile = vi.spyOn(DryRunFirewall.prototype, 'reconcile');
    try {
      await start([nginxProxy()]);
      await sees('docker-lost');
      expect(control.status()).toMatchObject({
        docker: { connected: false },
        firewall: { backend: 'unavailable' },
      });
      expect(reconcile).not.toHaveBeenCalled();
      await engine.start();
      await sees('ready');
      expect(events.filter(({ event }) => event === 'docker-lost')).toHaveLength(1);
    } finally {
      reconcile.mockRestore();
    }
  }, 30_000);

  it('bans by hand and takes back, but never an address of the host', async () => {
    await start([nginxProxy()]);
    await sees('ready');
    expect(await control.ban('nginx-proxy', ['192.0.2.9', '127.0.0.1', '172.17.0.5'])).toEqual({
      count: 1,
      refused: [
        { ip: '127.0.0.1', reason: 'not banned: it is a loopback address' },
        { ip: '172.17.0.5', reason: 'not banned: it belongs to a Docker network' },
      ],
    });
    expect(await control.ban('nginx', ['192.0.2.9'])).toBeUndefined();
    expect(await control.unban(undefined, ['192.0.2.9', '192.0.2.10'])).toEqual({ count: 1, refused: [] });
    await sees('unban', { ip: '192.0.2.9', reason: 'by hand' });
  });

  it('bans prefixes by hand, says what covers an address, and refuses what overlaps protected addresses', async () => {
    await start([
      nginxProxy({ labels: { 'fail2ban.jail': 'nginx-proxy', 'fail2ban.ignoreip': '198.51.100.64/26' } }),
    ]);
    await sees('ready');
    const refused = ['127.0.0.0/8', '172.17.4.0/24', '198.51.100.0/24', '198.51.100.70'];
    expect(await control.ban('nginx-proxy', ['203.0.113.0/24', '203.0.113.7', ...refused])).toEqual({
      count: 2,
      refused: [
        { ip: '127.0.0.0/8', reason: 'not banned: it overlaps 127.0.0.0/8, loopback' },
        { ip: '172.17.4.0/24', reason: 'not banned: it overlaps 172.17.0.0/16, a Docker network' },
        {
          ip: '198.51.100.0/24',
          reason: 'not banned: it overlaps 198.51.100.64/26, which is in ignoreip of jail nginx-proxy',
        },
        {
          ip: '198.51.100.70',
          reason: 'not banned: it overlaps 198.51.100.64/26, which is in ignoreip of jail nginx-proxy',
        },
      ],
    });
    await sees('ban', { ip: '203.0.113.0/24' });
    expect(control.jail('nginx-proxy')!.banned.map(({ ip }) => ip)).toEqual([
      '203.0.113.0/24',
      '203.0.113.7',
    ]);
    const reason =
      'still banned: jail nginx-proxy bans 203.0.113.0/24, which covers it (dock2ban unban nginx-proxy 203.0.113.0/24)';
    expect(await control.unban(undefined, ['203.0.113.9'])).toEqual({
      count: 0,
      refused: [{ ip: '203.0.113.9', reason }],
    });
    expect(await control.unban('nginx-proxy', ['203.0.113.0/24'])).toEqual({ count: 2, refused: [] });
    expect(control.banned()).toEqual({ 'nginx-proxy': [] });
  });

  it('bans an IPv6 party by its /64, and names the address that was found', async () => {
    await start([nginxProxy()]);
    await sees('ready');
    for (const host of [1, 2, 3, 4, 5]) log('nginx-proxy', `2001:db8:1:2::${host}`);
    await sees('ban', { ip: '2001:db8:1:2::/64', failures: 5 });
    expect(events.filter(({ event }) => event === 'found').map(({ ip }) => ip)).toEqual(
      [1, 2, 3, 4, 5].map((host) => `2001:db8:1:2::${host}`),
    );
  });

  it('runs a jail of the configuration with log files and no container, also in files that come later', async () => {
    mkdirSync(join(folder, 'fail2ban'));
    writeFileSync(
      join(folder, 'fail2ban/jail.local'),
      `[app]\nenabled = true\nfilter =\nfailregex = ^\\s*bad <HOST>$\nlogpath = ${folder}/app/*.log\nmaxretry = 2\nport = 8000\n`,
    );
    mkdirSync(join(folder, 'app'));
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
    writeFileSync(
      join(folder, 'app/old.log'),
      `${ago(700)} bad 203.0.113.1\n${ago(60)} bad 203.0.113.1\n${ago(50)} bad 203.0.113.2\n${ago(40)} bad 203.0.113.2\n`,
    );
    await start([]);
    await sees('jail-started', { jail: 'app' });
    // What was logged before the start counts if findtime reaches that far.
    await sees('ban', { jail: 'app', ip: '203.0.113.2' });
    writeFileSync(join(folder, 'app/new.log'), 'bad 203.0.113.3\nbad 203.0.113.3\n');
    writeFileSync(join(folder, 'app/old.log.1.gz'), 'bad 203.0.113.4\nbad 203.0.113.4\n');
    await sees('ban', { jail: 'app', ip: '203.0.113.3' });
    expect(control.banned()).toEqual({ app: ['203.0.113.2', '203.0.113.3'] });
    expect(control.jail('app')!.sources.toSorted()).toEqual([
      join(folder, 'app/new.log'),
      join(folder, 'app/old.log'),
    ]);
  }, 15_000);

  it('says that a ban is not in force if the kernel does not take it, and is not healthy', async () => {
    await start([nginxProxy()]);
    await sees('ready');
    expect(control.status().firewall.healthy).toBe(true);
    vi.spyOn(firewall, 'ban').mockRejectedValue(new FirewallError('firewall-locked', 'the lock is held'));
    log('nginx-proxy', '198.51.100.66', 5);
    await sees('firewall-error', { error: 'the lock is held' });
    expect(events.find(({ event }) => event === 'firewall-error')!.msg).toContain(
      '[nginx-proxy] 198.51.100.66',
    );
    expect(control.status().firewall).toEqual({
      backend: 'none',
      healthy: false,
      troubles: ['not blocked yet: [nginx-proxy] 198.51.100.66: the lock is held'],
    });
  });

  it('says when another backend enforces than before', async () => {
    await start([nginxProxy()]);
    await sees('ready');
    const remarks = ['chosen because Docker makes its rules with nftables'];
    vi.spyOn(firewall, 'info', 'get').mockReturnValue({
      backend: 'nftables',
      variant: undefined,
      entry: { 4: 'forward', 6: 'forward' },
      remarks,
    });
    engine.containers = [nginxProxy(), nginxProxy({ id: idOf('b2'), name: 'second' })];
    await engine.emit('{}');
    await sees('firewall-changed', {
      from: 'none',
      to: 'nftables',
      msg: 'Firewall changed from none to nftables: chosen because Docker makes its rules with nftables',
    });
    expect(control.status().firewall.backend).toBe('nftables');
    expect(events.filter(({ event }) => event === 'firewall-changed')).toHaveLength(1);
  });
});
