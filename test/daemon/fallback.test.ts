import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfigTree } from '../../src/config/load-config-tree.ts';
import { resolveJails } from '../../src/config/resolve.ts';
import type { Controller } from '../../src/control/api.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import { receiverSettings } from '../../src/daemon/receiver-settings.ts';
import { dockerodeConnector } from '../../src/docker/dockerode-client.ts';
import { DryRunFirewall } from '../../src/firewall/dry-run.ts';
import { Store } from '../../src/store/store.ts';
import { type FakeContainer, FakeEngine, idOf } from '../docker/fake-engine.ts';
import { FakeLogs } from '../docker/fake-logs.ts';
import { messagesOf } from '../sources/fake-container-log.ts';
import { scriptedJournal } from '../sources/scripted-journal.ts';

const builtinDir = fileURLToPath(new URL('../../filters', import.meta.url));

let folder: string;
let syslog: string;
let socketPath: string;
let engine: FakeEngine;
let logs: FakeLogs;
let journal: ReturnType<typeof scriptedJournal>;
let end: AbortController;
let done: Promise<void>;
let control: Controller;
let events: { readonly event: string; readonly msg: string; readonly [field: string]: unknown }[];

function web(changes: Partial<FakeContainer>): FakeContainer {
  return { id: idOf('a1'), name: 'web', labels: { 'fail2ban.jail': 'nginx-proxy' }, ...changes };
}

async function start(containers: FakeContainer[]): Promise<void> {
  engine.containers = containers;
  events = [];
  const tree = await loadConfigTree({ builtinDir, configDir: join(folder, 'fail2ban') });
  const receiver = receiverSettings({ listen: `unix://${socketPath}`, allow: '' })!;
  const daemon = new Daemon({
    version: '0.0.0',
    logger: pino({ level: 'info' }, { write: (line: string) => void events.push(JSON.parse(line)) }),
    connectDocker: dockerodeConnector(`unix://${engine.socketPath}`),
    createFirewall: (neverBan) => new DryRunFirewall({ neverBan, report: () => undefined }),
    resolve: (list) =>
      resolveJails({ tree, containers: list, compileFilter: () => undefined, receivers: receiver.listen }),
    openStore: (hooks) => new Store({ stateDir: join(folder, 'state'), purgeAge: 86_400, ...hooks }),
    syslogFile: syslog,
    receiver,
    journal: { start: journal.start, place: [], random: () => 0.999 },
  });
  control = daemon.control();
  end = new AbortController();
  done = (async () => {
    await daemon.run(end.signal);
    await daemon.stop(false);
  })();
}

async function stop(): Promise<void> {
  end.abort();
  await done;
}

async function sees(event: string, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ event, ...fields })), {
    timeout: 20_000,
    interval: 10,
  });
}

/** Addresses of clients, each of which makes one request: so one `found` each. */
const found = (): unknown[] => events.filter(({ event }) => event === 'found').map(({ ip }) => ip);
const ip = (n: number): string => `198.51.100.${n}`;
const request = (n: number): string =>
  `app.example.com ${ip(n)} - - [x] "GET /x HTTP/1.1" 404 1 "-" "curl" "-"`;

/** Docker's own copy. @param at epoch milliseconds */
function copy(n: number, at: number): void {
  logs.log(idOf('a1'), ...messagesOf(1, BigInt(at) * 1_000_000n, request(n)));
}

const syslogLine = (n: number, at: number): string =>
  `${new Date(at).toISOString()} host web[1]: ${request(n)}\n`;

let serial = 0;
function entry(n: number, at: number): object {
  const micros = at * 1000 + ++serial;
  return {
    __CURSOR: `s=1;i=${serial};t=${micros.toString(16)}`,
    __REALTIME_TIMESTAMP: String(micros),
    _UID: '0',
    MESSAGE: request(n),
    CONTAINER_ID_FULL: idOf('a1'),
  };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-fallback-'));
  syslog = join(folder, 'syslog');
  socketPath = join(folder, 'run/syslog.sock');
  engine = await new FakeEngine().start();
  logs = new FakeLogs(engine);
  journal = scriptedJournal();
});

afterEach(async () => {
  await stop();
  await engine.stop();
  rmSync(folder, { recursive: true });
});

describe("Docker's copy stands in", { timeout: 60_000 }, () => {
  it('for a syslog file that is not there, and the file takes over when it comes, with nothing counted twice', async () => {
    const before = Date.now() - 30_000;
    copy(1, before);
    await start([web({ logDriver: 'syslog', logOptions: { tag: 'web' } })]);
    await sees('source-fallback', { source: syslog, containers: ['web'] });
    await sees('found', { ip: ip(1) });
    expect(control.jail('nginx-proxy')?.sources).toEqual(['docker:web']);
    const last = Date.now() - 10_000;
    copy(2, last);
    await sees('found', { ip: ip(2) });
    // The file has what was read from the copy, and more.
    writeFileSync(
      syslog,
      syslogLine(1, before) +
        syslogLine(2, last + 5) +
        syslogLine(3, last + 5000) +
        syslogLine(4, Date.now()),
    );
    await sees('source-resumed', { source: syslog });
    await sees('found', { ip: ip(4) });
    copy(5, Date.now());
    appendFileSync(syslog, syslogLine(6, Date.now()));
    await sees('found', { ip: ip(6) });
    expect(found()).toEqual([1, 2, 3, 4, 6].map(ip));
    expect(control.jail('nginx-proxy')?.sources).toEqual([syslog]);
    expect(events.filter(({ event }) => event === 'source-fallback')).toHaveLength(1);
    expect(control.status().sources).toMatchObject([
      { source: syslog, matched: 3 },
      { source: expect.stringContaining('unix:') },
      { source: 'syslog receiver' },
    ]);
  });

  it('only behind what the file had brought, also when that was in an earlier run', async () => {
    writeFileSync(syslog, '');
    const containers = [web({ logDriver: 'syslog', logOptions: { tag: 'web' } })];
    await start(containers);
    await sees('ready');
    const at = Date.now() - 5000;
    copy(1, at);
    appendFileSync(syslog, syslogLine(1, at + 2));
    await sees('found', { ip: ip(1) });
    renameSync(syslog, join(folder, 'away'));
    await sees('source-fallback');
    copy(2, Date.now());
    await sees('found', { ip: ip(2) });
    expect(found()).toEqual([ip(1), ip(2)]);
    await stop();
    copy(3, Date.now());
    await start(containers);
    await sees('found', { ip: ip(3) });
    expect(found()).toEqual([ip(3)]);
    // What the copy had brought before the next start isn't taken from the file.
    await stop();
    renameSync(join(folder, 'away'), syslog);
    appendFileSync(syslog, syslogLine(3, Date.now() - 60_000) + syslogLine(4, Date.now() + 2000));
    await start(containers);
    await sees('found', { ip: ip(4) });
    expect(found()).toEqual([ip(4)]);
  });

  it('for a journal that cannot be read, and gives back to it', async () => {
    await start([web({ logDriver: 'journald' })]);
    const run = async (index: number) =>
      vi.waitFor(
        () => {
          expect(journal.runs.length).toBeGreaterThan(index);
          return journal.runs[index]!;
        },
        { timeout: 10_000, interval: 5 },
      );
    const first = await run(0);
    const base = Date.now() - 20_000;
    for (const n of [1, 2]) copy(n, base + n * 1000);
    first.print(entry(1, base + 1001));
    await sees('found', { ip: ip(1) });
    // It fails, again and again.
    const failing = setInterval(() => {
      for (const one of journal.runs) one.end('No journal files were opened');
    }, 5);
    await sees('source-fallback', { source: 'the journal', containers: ['web'] });
    await sees('found', { ip: ip(2) });
    clearInterval(failing);
    const again = await vi.waitFor(
      () => {
        const latest = journal.runs.at(-1)!;
        expect(latest.isRunning).toBe(true);
        return latest;
      },
      { timeout: 40_000, interval: 10 },
    );
    again.print(entry(1, base + 1001), entry(2, base + 2001), entry(3, base + 9000));
    await sees('found', { ip: ip(3) });
    copy(4, Date.now());
    again.print(entry(5, Date.now()));
    await sees('found', { ip: ip(5) });
    expect(found()).toEqual([1, 2, 3, 5].map(ip));
    expect(events.filter(({ event }) => event === 'source-resumed')).toHaveLength(1);
  });

  it("for a listener of the receiver that can't be opened", async () => {
    const taken: Server = createServer();
    socketPath = join(folder, 'taken.sock');
    await new Promise<void>((resolve) => void taken.listen(socketPath, resolve));
    writeFileSync(syslog, '');
    await start([
      web({ logDriver: 'syslog', logOptions: { tag: 'web', 'syslog-address': `unix://${socketPath}` } }),
    ]);
    await sees('source-fallback', { source: `unix://${socketPath}`, containers: ['web'] });
    copy(1, Date.now());
    // The host's file may have a line of that tag: it's another's.
    appendFileSync(syslog, syslogLine(9, Date.now()));
    await sees('found', { ip: ip(1) });
    await new Promise((resolve) => void taken.close(resolve));
    await sees('source-resumed', { source: `unix://${socketPath}` });
    expect(control.jail('nginx-proxy')?.sources).toEqual(['syslog receiver:web']);
    expect(found()).toEqual([ip(1)]);
  });
});
