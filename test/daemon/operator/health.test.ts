import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfigTree } from '../../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../../src/config/resolve.ts';
import type { Controller } from '../../../src/control/controller.ts';
import { Daemon } from '../../../src/daemon/daemon.ts';
import { engineConnector } from '../../../src/docker/engine/engine-connector.ts';
import { DryRunFirewall } from '../../../src/firewall/dry-run.ts';
import { FirewallError } from '../../../src/firewall/tool/errors.ts';
import { Store } from '../../../src/store/store.ts';
import { FakeEngine, idOf } from '../../docker/fake-engine.ts';

const builtinDir = fileURLToPath(new URL('../../../filters', import.meta.url));

let folder: string;
let engine: FakeEngine;
let firewall: DryRunFirewall;
let control: Controller;
let uptime: number;
let events: { readonly event: string }[];
let end: AbortController;
let done: Promise<void>;

/** The daemon with one container, which logs to a syslog file. */
async function start(): Promise<void> {
  const tree = await loadConfigTree({ builtinDir, configDir: join(folder, 'fail2ban') });
  const daemon = new Daemon({
    version: '0.0.0',
    logger: pino({ level: 'info' }, { write: (line: string) => void events.push(JSON.parse(line)) }),
    connectDocker: engineConnector(`unix://${engine.socketPath}`),
    createFirewall: (neverBan) => (firewall = new DryRunFirewall({ neverBan, report: () => undefined })),
    resolve: ({ containers }) => resolveJails({ tree, containers, compileFilter: () => undefined }),
    openStore: (hooks) => new Store({ stateDir: join(folder, 'state'), purgeAge: 86_400, ...hooks }),
    syslogFile: join(folder, 'syslog'),
    uptime: () => uptime,
  });
  control = daemon.control();
  end = new AbortController();
  done = (async () => {
    await daemon.run(end.signal);
    await daemon.stop(false);
  })();
}

async function sees(event: string): Promise<void> {
  await vi.waitFor(() => expect(events.map((each) => each.event)).toContain(event), { timeout: 20_000 });
}

/** What makes it unhealthy after a minute, of which nothing was said before. */
async function unhealthyAfterAMinute(): Promise<readonly string[]> {
  expect(control.status().unhealthy).toEqual([]);
  uptime += 59_000;
  expect(control.status().unhealthy).toEqual([]);
  uptime += 2_000;
  return control.status().unhealthy;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-health-'));
  writeFileSync(join(folder, 'syslog'), '');
  engine = await new FakeEngine().start();
  engine.containers = [
    {
      id: idOf('a1'),
      name: 'web',
      labels: { 'fail2ban.jail': 'nginx-proxy' },
      ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '80' }] },
      logDriver: 'syslog',
      logOptions: { tag: 'web' },
    },
  ];
  events = [];
  uptime = 1_000_000;
});

afterEach(async () => {
  end.abort();
  await done;
  await engine.stop();
  rmSync(folder, { recursive: true });
});

describe('health', () => {
  it('stands as long as everything works', async () => {
    await start();
    await sees('ready');
    expect(await unhealthyAfterAMinute()).toEqual([]);
  });

  it('is lost a minute after Docker, and is back with it', async () => {
    await start();
    await sees('ready');
    await engine.stop();
    await sees('docker-lost');
    expect(await unhealthyAfterAMinute()).toEqual([expect.stringContaining("Docker can't be reached: ")]);
    await engine.start();
    await sees('docker-resumed');
    expect(control.status().unhealthy).toEqual([]);
  }, 60_000);

  it('is lost where Docker was never reached', async () => {
    await engine.stop();
    await start();
    await sees('docker-lost');
    expect(await unhealthyAfterAMinute()).toContainEqual(
      expect.stringContaining("Docker can't be reached: "),
    );
    await engine.start();
  }, 60_000);

  it('is lost if no log can be read, and is back with one', async () => {
    rmSync(join(folder, 'syslog'));
    await start();
    await sees('source-lost');
    const log = join(folder, 'syslog');
    expect(await unhealthyAfterAMinute()).toEqual([`no log can be read: ${log}`]);
    writeFileSync(log, '');
    await sees('source-resumed');
    expect(control.status().unhealthy).toEqual([]);
  }, 60_000);

  it("is lost if the state can't be written", async () => {
    // A file where its folder should be: root may write wherever modes forbid it.
    writeFileSync(join(folder, 'state'), '');
    await start();
    await sees('ready');
    expect(await unhealthyAfterAMinute()).toEqual([
      expect.stringContaining(`nothing can be stored in ${join(folder, 'state/dock2ban.sqlite3')}: `),
    ]);
    rmSync(join(folder, 'state'));
    mkdirSync(join(folder, 'state'));
  });

  it('is lost if bans are not enforced, but not by failures with a success in between', async () => {
    await start();
    await sees('ready');
    const broken = vi
      .spyOn(firewall, 'reconcile')
      .mockRejectedValue(new FirewallError('firewall-kernel', 'no such table'));
    await engine.emit('{}');
    await sees('firewall-error');
    expect(control.status().unhealthy).toEqual([]);
    uptime += 50_000;
    broken.mockRestore();
    await vi.waitFor(() => expect(control.status().firewall.healthy).toBe(true), { timeout: 20_000 });
    expect(control.status().unhealthy).toEqual([]);
    vi.spyOn(firewall, 'reconcile').mockRejectedValue(new FirewallError('firewall-kernel', 'no such table'));
    await vi.waitFor(() => expect(control.status().firewall.healthy).toBe(false), { timeout: 20_000 });
    expect(await unhealthyAfterAMinute()).toEqual([
      expect.stringMatching(/^bans are not enforced: .*no such table$/),
    ]);
  }, 60_000);
});
