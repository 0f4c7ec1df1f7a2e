import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { idOf } from '../../docker/fake-engine.ts';
import { ip, LogWays, request, web } from './log-ways.ts';

let ways: LogWays;

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
  ways = new LogWays();
  await ways.engine.start();
});

afterEach(async () => ways.close());

describe("Docker's copy stands in", { timeout: 60_000 }, () => {
  it('for a syslog file that is not there, and the file takes over when it comes, with nothing counted twice', async () => {
    const before = Date.now() - 30_000;
    ways.copy(request(1), before);
    await ways.start([web({ logDriver: 'syslog', logOptions: { tag: 'web' } })]);
    await ways.sees('source-fallback', { source: ways.syslog, containers: ['web'] });
    await ways.sees('found', { ip: ip(1) });
    expect(ways.control.jail('nginx-proxy')?.sources).toEqual(['docker:web']);
    const last = Date.now() - 10_000;
    ways.copy(request(2), last);
    await ways.sees('found', { ip: ip(2) });
    // The file has what was read from the copy, and more.
    writeFileSync(
      ways.syslog,
      syslogLine(1, before) +
        syslogLine(2, last + 5) +
        syslogLine(3, last + 5000) +
        syslogLine(4, Date.now()),
    );
    await ways.sees('source-resumed', { source: ways.syslog });
    await ways.sees('found', { ip: ip(4) });
    ways.copy(request(5), Date.now());
    appendFileSync(ways.syslog, syslogLine(6, Date.now()));
    await ways.sees('found', { ip: ip(6) });
    expect(ways.found).toEqual([1, 2, 3, 4, 6].map(ip));
    expect(ways.control.jail('nginx-proxy')?.sources).toEqual([ways.syslog]);
    expect(ways.of('source-fallback')).toHaveLength(1);
    expect(ways.control.status().sources).toMatchObject([
      { source: ways.syslog, matched: 3 },
      { source: expect.stringContaining('unix:') },
      { source: 'syslog receiver' },
    ]);
  });

  it('only behind what the file had brought, also when that was in an earlier run', async () => {
    writeFileSync(ways.syslog, '');
    const containers = [web({ logDriver: 'syslog', logOptions: { tag: 'web' } })];
    await ways.start(containers);
    await ways.sees('ready');
    const at = Date.now() - 5000;
    ways.copy(request(1), at);
    appendFileSync(ways.syslog, syslogLine(1, at + 2));
    await ways.sees('found', { ip: ip(1) });
    renameSync(ways.syslog, join(ways.folder, 'away'));
    await ways.sees('source-fallback');
    ways.copy(request(2), Date.now());
    await ways.sees('found', { ip: ip(2) });
    expect(ways.found).toEqual([ip(1), ip(2)]);
    await ways.stop();
    ways.copy(request(3), Date.now());
    await ways.start(containers);
    await ways.sees('found', { ip: ip(3) });
    expect(ways.found).toEqual([ip(3)]);
    // What the copy had brought before the next start isn't taken from the file.
    await ways.stop();
    renameSync(join(ways.folder, 'away'), ways.syslog);
    appendFileSync(ways.syslog, syslogLine(3, Date.now() - 60_000) + syslogLine(4, Date.now() + 2000));
    await ways.start(containers);
    await ways.sees('found', { ip: ip(4) });
    expect(ways.found).toEqual([ip(4)]);
  });

  it('for a journal that cannot be read, and gives back to it', async () => {
    await ways.start([web({ logDriver: 'journald' })]);
    const run = async (index: number) =>
      vi.waitFor(
        () => {
          expect(ways.journal.runs.length).toBeGreaterThan(index);
          return ways.journal.runs[index]!;
        },
        { timeout: 10_000, interval: 5 },
      );
    const first = await run(0);
    const base = Date.now() - 20_000;
    for (const n of [1, 2]) ways.copy(request(n), base + n * 1000);
    first.print(entry(1, base + 1001));
    await ways.sees('found', { ip: ip(1) });
    // It fails, again and again.
    const failing = setInterval(() => {
      for (const one of ways.journal.runs) one.end('No journal files were opened');
    }, 5);
    await ways.sees('source-fallback', { source: 'the journal', containers: ['web'] });
    await ways.sees('found', { ip: ip(2) });
    clearInterval(failing);
    const again = await vi.waitFor(
      () => {
        const latest = ways.journal.runs.at(-1)!;
        expect(latest.isRunning).toBe(true);
        return latest;
      },
      { timeout: 40_000, interval: 10 },
    );
    again.print(entry(1, base + 1001), entry(2, base + 2001), entry(3, base + 9000));
    await ways.sees('found', { ip: ip(3) });
    ways.copy(request(4), Date.now());
    again.print(entry(5, Date.now()));
    await ways.sees('found', { ip: ip(5) });
    expect(ways.found).toEqual([1, 2, 3, 5].map(ip));
    expect(ways.of('source-resumed')).toHaveLength(1);
  });

  it("for a listener of the receiver that can't be opened", async () => {
    const taken: Server = createServer();
    ways.socketPath = join(ways.folder, 'taken.sock');
    await new Promise<void>((resolve) => void taken.listen(ways.socketPath, resolve));
    writeFileSync(ways.syslog, '');
    await ways.start([
      web({ logDriver: 'syslog', logOptions: { tag: 'web', 'syslog-address': `unix://${ways.socketPath}` } }),
    ]);
    await ways.sees('source-fallback', { source: `unix://${ways.socketPath}`, containers: ['web'] });
    ways.copy(request(1), Date.now());
    // The host's file may have a line of that tag: it's another's.
    appendFileSync(ways.syslog, syslogLine(9, Date.now()));
    await ways.sees('found', { ip: ip(1) });
    await new Promise((resolve) => void taken.close(resolve));
    await ways.sees('source-resumed', { source: `unix://${ways.socketPath}` });
    expect(ways.control.jail('nginx-proxy')?.sources).toEqual(['syslog receiver:web']);
    expect(ways.found).toEqual([ip(1)]);
  });
});
