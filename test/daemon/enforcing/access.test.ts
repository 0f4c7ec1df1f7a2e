import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AccessSpec } from '../../../src/config/labels/access-spec.ts';
import { loadConfigTree } from '../../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../../src/config/resolve.ts';
import type { Controller } from '../../../src/control/controller.ts';
import { Daemon } from '../../../src/daemon/daemon.ts';
import { engineConnector } from '../../../src/docker/engine/engine-connector.ts';
import { DryRunFirewall } from '../../../src/firewall/dry-run.ts';
import { FirewallError } from '../../../src/firewall/tool/errors.ts';
import type { GuardedJail, Reconciliation } from '../../../src/firewall/firewall.ts';
import type { NeverBan } from '../../../src/firewall/bans/never-ban.ts';
import { Store } from '../../../src/store/store.ts';
import { type FakeContainer, FakeEngine, idOf } from '../../docker/fake-engine.ts';

const builtinDir = fileURLToPath(new URL('../../../filters', import.meta.url));

interface Event {
  readonly event: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** What a firewall was asked for, and what it was told never to close to. */
interface Asked {
  readonly access: readonly AccessSpec[];
  readonly own: readonly string[];
}

let folder: string;
let engine: FakeEngine;
let events: Event[];
let asked: Asked[];
let failure: FirewallError | undefined;
let control: Controller;
let stop: () => Promise<void>;

const web = (id: string, labels: Record<string, string>): FakeContainer => ({
  id: idOf(id),
  name: 'web',
  labels,
  ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] },
});

/** A dry run that keeps what it was asked for. */
class RecordingFirewall extends DryRunFirewall {
  readonly #own: () => NeverBan;

  constructor(neverBan: () => NeverBan) {
    super({ neverBan, report: () => undefined });
    this.#own = neverBan;
  }

  override async reconcile(
    jails: readonly GuardedJail[],
    access: readonly AccessSpec[] = [],
  ): Promise<Reconciliation> {
    asked.push({ access, own: this.#own().own });
    const result = await super.reconcile(jails, access);
    if (!failure) return result;
    const shortfall = { jail: undefined, family: 6 as const, consequence: 'web is open', error: failure };
    return { ...result, shortfalls: [shortfall] };
  }
}

async function start(): Promise<void> {
  const tree = await loadConfigTree({ builtinDir, configDir: join(folder, 'fail2ban') });
  const daemon = new Daemon({
    version: '0.0.0',
    logger: pino({ level: 'info' }, { write: (line: string) => void events.push(JSON.parse(line)) }),
    connectDocker: engineConnector(`unix://${engine.socketPath}`),
    createFirewall: (neverBan) => new RecordingFirewall(neverBan),
    resolve: ({ containers: list }) =>
      resolveJails({ tree, containers: list, compileFilter: () => undefined }),
    openStore: (hooks) => new Store({ stateDir: join(folder, 'state'), purgeAge: 86_400, ...hooks }),
    syslogFile: join(folder, 'syslog'),
  });
  control = daemon.control();
  const end = new AbortController();
  const done = (async () => {
    await daemon.run(end.signal);
    await daemon.stop(false);
  })();
  stop = async () => {
    end.abort();
    await done;
  };
}

const sees = (event: string, fields: Readonly<Record<string, unknown>> = {}): Promise<void> =>
  vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ event, ...fields })), {
    timeout: 5000,
    interval: 10,
  });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-access-'));
  engine = await new FakeEngine().start();
  [events, asked, failure] = [[], [], undefined];
});

afterEach(async () => {
  await stop();
  await engine.stop();
  rmSync(folder, { recursive: true });
});

describe('who gets to a container by its labels', () => {
  it('follows the container as it is created anew, and is told in the log and in status', async () => {
    engine.containers = [
      web('a1', { 'fail2ban.allowfrom': '192.0.2.0/24', 'fail2ban.denyfrom': '192.0.2.7' }),
    ];
    await start();
    await sees('access', {
      container: 'web',
      ports: ['8080/tcp'],
      allowfrom: ['192.0.2.0/24'],
      denyfrom: ['192.0.2.7'],
      msg: 'Access to web: 8080/tcp open to 192.0.2.0/24, closed to 192.0.2.7',
    });
    await sees('ready');
    expect(asked.at(-1)?.access).toMatchObject([{ container: 'web', allow: ['192.0.2.0/24'] }]);
    expect(control.status().access).toEqual([
      { container: 'web', ports: ['8080/tcp'], allowfrom: ['192.0.2.0/24'], denyfrom: ['192.0.2.7'] },
    ]);

    engine.containers = [web('b2', { 'fail2ban.allowfrom': 'nonsense' })];
    await engine.emit('{}');
    await sees('config-error', { container: 'web' });
    await sees('access', {
      allowfrom: [],
      msg: 'Access to web: 8080/tcp open to nobody outside this host',
    });
    expect(asked.at(-1)?.access).toMatchObject([{ container: 'web', allow: [] }]);

    engine.containers = [];
    await engine.emit('{}');
    await sees('access', { msg: 'Access to web: no longer restricted by labels' });
    expect(asked.at(-1)?.access).toEqual([]);
    expect(control.status().access).toEqual([]);
  });

  it('is in force again before Docker is seen, and leaves the networks of before alone', async () => {
    engine.containers = [web('a1', { 'fail2ban.allowfrom': '192.0.2.0/24' })];
    await start();
    await sees('ready');
    const before = asked.at(-1)!;
    expect(before.own).toContain('172.17.0.0/16');
    await stop();
    await engine.stop();
    asked = [];
    await start();
    await vi.waitFor(() => expect(asked).toHaveLength(1), { timeout: 5000, interval: 10 });
    expect(asked).toEqual([before]);
  });

  it('is in force before the container starts, and while it does not run', async () => {
    const labels = { 'fail2ban.allowfrom': '192.0.2.0/24' };
    const ports = { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] };
    const created: FakeContainer = { ...web('a1', labels), state: 'created', bindings: ports, ports: {} };
    await start();
    await sees('ready');
    engine.containers = [created];
    await engine.emit('{}');
    await sees('access', { msg: 'Access to web: 8080/tcp open to 192.0.2.0/24' });
    expect(asked.at(-1)?.access).toMatchObject([{ container: 'web', awaited: true }]);
    expect(control.status().access).toMatchObject([{ container: 'web', ports: ['8080/tcp'] }]);

    engine.containers = [{ ...created, state: 'running', ports }];
    await engine.emit('{}');
    await vi.waitFor(() => expect(asked.at(-1)?.access[0]).not.toHaveProperty('awaited'));
    engine.containers = [{ ...created, state: 'exited' }];
    await engine.emit('{}');
    await vi.waitFor(() => expect(asked.at(-1)?.access).toMatchObject([{ container: 'web', awaited: true }]));
    // To those who read the log, nothing has changed.
    expect(events.filter(({ event }) => event === 'access')).toHaveLength(1);

    const other: FakeContainer = { ...web('b2', {}), name: 'other' };
    engine.containers = [{ ...created, state: 'exited' }, other];
    await engine.emit('{}');
    await vi.waitFor(() => expect(asked.at(-1)?.access).toEqual([]));
  });

  it('shows as not enforced if it is not', async () => {
    failure = new FirewallError('firewall-failed', 'no such luck');
    engine.containers = [web('a1', { 'fail2ban.allowfrom': '192.0.2.0/24' })];
    await start();
    await sees('ready');
    expect(control.status().firewall).toMatchObject({
      healthy: false,
      troubles: ['web is open: no such luck'],
    });
  });
});
