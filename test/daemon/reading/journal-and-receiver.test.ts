import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfigTree } from '../../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../../src/config/resolve.ts';
import { Daemon } from '../../../src/daemon/daemon.ts';
import { receiverSettings } from '../../../src/daemon/reading/receiver-settings.ts';
import { engineConnector } from '../../../src/docker/engine/engine-connector.ts';
import { DryRunFirewall } from '../../../src/firewall/dry-run.ts';
import { Store } from '../../../src/store/store.ts';
import { type FakeContainer, FakeEngine, idOf } from '../../docker/fake-engine.ts';
import { scriptedJournal } from '../../sources/journal/scripted-journal.ts';

const builtinDir = fileURLToPath(new URL('../../../filters', import.meta.url));
const udpPort = 20_000 + (process.pid % 20_000);

let folder: string;
let engine: FakeEngine;
let end: AbortController;
let done: Promise<void>;
let events: { readonly event: string; readonly msg: string; readonly [field: string]: unknown }[];
let socketPath: string;
let journal: ReturnType<typeof scriptedJournal>;

function web(changes: Partial<FakeContainer> = {}): FakeContainer {
  return {
    id: idOf('a1'),
    name: 'web',
    labels: { 'fail2ban.jail': 'nginx-proxy' },
    ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '80' }] },
    ...changes,
  };
}

async function start(containers: FakeContainer[]): Promise<void> {
  engine.containers = containers;
  const tree = await loadConfigTree({ builtinDir, configDir: join(folder, 'fail2ban') });
  const receiver = receiverSettings({
    listen: `unix://${socketPath},udp://127.0.0.1:${udpPort}`,
    allow: '',
  })!;
  const daemon = new Daemon({
    version: '0.0.0',
    logger: pino({ level: 'info' }, { write: (line: string) => void events.push(JSON.parse(line)) }),
    connectDocker: engineConnector(`unix://${engine.socketPath}`),
    createFirewall: (neverBan) => new DryRunFirewall({ neverBan, report: () => undefined }),
    resolve: ({ containers: list }) =>
      resolveJails({ tree, containers: list, compileFilter: () => undefined, receivers: receiver.listen }),
    openStore: (hooks) => new Store({ stateDir: join(folder, 'state'), purgeAge: 86_400, ...hooks }),
    syslogFile: join(folder, 'syslog'),
    receiver,
    journal: { start: journal.start, place: [] },
  });
  end = new AbortController();
  done = (async () => {
    await daemon.run(end.signal);
    await daemon.stop(false);
  })();
}

async function sees(event: string, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ event, ...fields })), {
    timeout: 10_000,
    interval: 10,
  });
}

const found = (ip: string): number =>
  events.filter(({ event, ip: of }) => event === 'found' && of === ip).length;
const request = (ip: string) => `app.example.com ${ip} - - [x] "GET /x HTTP/1.1" 404 1 "-" "curl" "-"`;
const syslog = (program: string, text: string) => `<30>${new Date().toISOString()} ${program}[9]: ${text}\n`;

let serial = 0;
/** An entry of the journal. */
function entry(
  message: string,
  { ago = 0, ...fields }: { ago?: number; [field: string]: unknown } = {},
): object {
  const micros = (Date.now() - ago) * 1000 + ++serial;
  return {
    __CURSOR: `s=1;i=${serial};t=${micros.toString(16)}`,
    __REALTIME_TIMESTAMP: String(micros),
    _UID: '0',
    _HOSTNAME: 'web1',
    SYSLOG_IDENTIFIER: 'x',
    MESSAGE: message,
    ...fields,
  };
}

async function run(index: number) {
  return vi.waitFor(
    () => {
      expect(journal.runs.length).toBeGreaterThan(index);
      return journal.runs[index]!;
    },
    { timeout: 10_000, interval: 5 },
  );
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-daemon-'));
  socketPath = join(folder, 'run/syslog.sock');
  writeFileSync(join(folder, 'syslog'), '');
  engine = await new FakeEngine().start();
  events = [];
  journal = scriptedJournal();
});

afterEach(async () => {
  end.abort();
  await done;
  await engine.stop();
  rmSync(folder, { recursive: true });
});

describe('containers that log to the receiver', () => {
  it('are recognised by their syslog-address, and told by their tag', async () => {
    await start([
      web({ logDriver: 'syslog', logOptions: { tag: 'web', 'syslog-address': `unix://${socketPath}` } }),
      web({
        id: idOf('b2'),
        name: 'udp',
        labels: { 'fail2ban.jail': 'udp', 'fail2ban.filter': 'nginx-proxy' },
        logDriver: 'syslog',
        logOptions: { tag: 'udp', 'syslog-address': `udp://localhost:${udpPort}` },
      }),
    ]);
    await sees('jail-started', { jail: 'nginx-proxy', sources: ['syslog receiver:web'] });
    await sees('ready');
    const socket = connect(socketPath);
    socket.write(
      syslog('other', `${request('203.0.113.9')} ${syslog('web', request('203.0.113.9'))}`).repeat(9),
    );
    socket.write(syslog('web2', request('203.0.113.9')).repeat(9));
    socket.write(syslog('web', request('198.51.100.66')).repeat(5));
    await sees('ban', { jail: 'nginx-proxy', ip: '198.51.100.66', failures: 5 });
    const datagrams = createSocket('udp4');
    for (let i = 0; i < 5; i++) datagrams.send(syslog('udp', request('198.51.100.67')), udpPort, '127.0.0.1');
    await sees('ban', { jail: 'udp', ip: '198.51.100.67' });
    socket.destroy();
    datagrams.close();
    expect(found('203.0.113.9')).toBe(0);
  });

  it("are not believed for those of the host's syslog file, which has the same tag", async () => {
    await start([web({ logDriver: 'syslog', logOptions: { tag: 'web' } })]);
    await sees('jail-started', { sources: [join(folder, 'syslog')] });
    await sees('ready');
    const socket = connect(socketPath);
    socket.write(syslog('web', request('203.0.113.9')).repeat(9));
    await new Promise<void>((resolve) => void socket.end(resolve));
    writeFileSync(
      join(folder, 'syslog'),
      `${new Date().toISOString()} h web[1]: ${request('198.51.100.66')}\n`,
    );
    await sees('found', { ip: '198.51.100.66' });
    expect(found('203.0.113.9')).toBe(0);
  });
});

describe('the journal', () => {
  it('is not opened while no jail reads it', async () => {
    await start([web({ logDriver: 'syslog', logOptions: { tag: 'web' } })]);
    await sees('ready');
    expect(journal.runs).toEqual([]);
  });

  it('is read for containers of the driver journald and for host services, each their own', async () => {
    mkdirSync(join(folder, 'fail2ban'));
    writeFileSync(
      join(folder, 'fail2ban/jail.local'),
      '[app]\nenabled = true\nbackend = systemd\njournalmatch = _SYSTEMD_UNIT=app.service\nfilter =\nfailregex = ^\\S+ app\\[\\d+\\]: bad <HOST>$\nmaxretry = 2\nport = 8000\n',
    );
    await start([web({ logDriver: 'journald' })]);
    await sees('ready');
    const { matches } = await run(0);
    expect(matches.toSorted()).toEqual(['+', `CONTAINER_ID_FULL=${idOf('a1')}`, '_SYSTEMD_UNIT=app.service']);
    const mine = { CONTAINER_ID_FULL: idOf('a1') };
    const app = { _SYSTEMD_UNIT: 'app.service', SYSLOG_IDENTIFIER: 'app', _PID: '5' };
    journal.runs[0]!.print(
      entry(request('203.0.113.9'), { CONTAINER_ID_FULL: idOf('b2') }),
      entry(request('203.0.113.9'), { ...mine, _UID: '1000' }),
      entry(request('203.0.113.9'), app),
      entry('bad 203.0.113.9', mine),
      entry(request('203.0.113.9'), { ...mine, ago: 700_000 }),
      ...Array.from({ length: 4 }, () => entry(request('198.51.100.66'), { ...mine, ago: 60_000 })),
      entry('bad 198.51.100.67', app),
      entry('bad 198.51.100.67', app),
      entry(request('198.51.100.66'), mine),
    );
    await sees('ban', { jail: 'nginx-proxy', ip: '198.51.100.66', failures: 5 });
    await sees('ban', { jail: 'app', ip: '198.51.100.67', failures: 2 });
    expect(found('203.0.113.9')).toBe(0);
  });

  it('counts nothing twice when containers come, go and come back, and nothing is missed', async () => {
    const first = web({ logDriver: 'journald' });
    const second = web({ id: idOf('b2'), name: 'second', logDriver: 'journald' });
    const of = (id: string) => ({ CONTAINER_ID_FULL: idOf(id) });
    await start([first]);
    const old = entry(request('198.51.100.1'), { ...of('a1'), ago: 50_000 });
    (await run(0)).print(old);
    await vi.waitFor(() => expect(found('198.51.100.1')).toBe(1));
    // Another comes: what it logged before is read, and nothing of the first again.
    engine.containers = [first, second];
    await engine.emit('{}');
    const both = await run(1);
    expect(journal.runs[0]!.killed).toBe(true);
    expect(both.option('since')).toBeDefined();
    const early = entry(request('198.51.100.2'), { ...of('b2'), ago: 55_000 });
    const now = entry(request('198.51.100.3'), of('b2'));
    both.print(early, old, now);
    await vi.waitFor(() => expect([found('198.51.100.2'), found('198.51.100.3')]).toEqual([1, 1]));
    expect(found('198.51.100.1')).toBe(1);
    // The second goes and comes back: what it logs meanwhile is read, and nothing again.
    engine.containers = [first];
    await engine.emit('{}');
    const alone = await run(2);
    expect(alone.option('cursor')).toBe((now as { __CURSOR: string }).__CURSOR);
    const meanwhile = entry(request('198.51.100.4'), of('b2'));
    const later = entry(request('198.51.100.1'), of('a1'));
    alone.print(now, later);
    await vi.waitFor(() => expect(found('198.51.100.1')).toBe(2));
    engine.containers = [first, second];
    await engine.emit('{}');
    const again = await run(3);
    again.print(early, now, meanwhile, later, entry(request('198.51.100.5'), of('a1')));
    await vi.waitFor(() => expect(found('198.51.100.5')).toBe(1));
    expect([1, 2, 3, 4].map((n) => found(`198.51.100.${n}`))).toEqual([2, 1, 1, 1]);
  });

  it('that cannot be read is said once, whatever containers come and go', async () => {
    await start([web({ logDriver: 'journald' })]);
    (await run(0)).end('journalctl ended with exit code 1: no');
    await sees('source-lost', { source: 'the journal' });
    engine.containers = [
      web({ logDriver: 'journald' }),
      web({ id: idOf('b2'), name: 'b', logDriver: 'journald' }),
    ];
    await engine.emit('{}');
    const last = await vi.waitFor(() => {
      const latest = journal.runs.at(-1)!;
      expect(latest.matches).toHaveLength(3);
      return latest;
    });
    last.print(entry(request('198.51.100.66'), { CONTAINER_ID_FULL: idOf('b2') }));
    await sees('found', { container: 'b' });
    expect(events.filter(({ event }) => event === 'source-lost')).toHaveLength(1);
    expect(events.filter(({ event }) => event === 'source-resumed')).toHaveLength(1);
  });
});
