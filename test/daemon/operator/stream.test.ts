import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { idOf } from '../../docker/fake-engine.ts';
import { FakeLogs } from '../../docker/fake-logs.ts';
import { messagesOf } from '../../sources/docker/fake-container-log.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

const access = (address: string): string =>
  `${address} - - [22/Nov/2026:13:44:53 +0000] "GET /.env HTTP/1.1" 404 153 "-" "-" "-"`;
const error = (address: string): string =>
  `2026/11/22 13:44:53 [error] 29#29: *1 user "x": password mismatch, client: ${address}, server: _, request: "GET / HTTP/1.1", host: "x"`;
const [out, err] = [1, 2] as const;

let live: LiveDaemon;
let logs: FakeLogs;

beforeEach(() => {
  live = new LiveDaemon();
  logs = new FakeLogs(live.engine);
});

afterEach(() => live.end());

async function start(labels: Record<string, string>): Promise<void> {
  await live.start([{ id: idOf('a1'), name: 'web', labels }]);
}

function log(stream: 1 | 2, line: string): void {
  logs.log(idOf('a1'), ...messagesOf(stream, BigInt(Date.now()) * 1_000_000n, line));
}

const found = (): unknown[] => live.of('found').map(({ jail, ip }) => [jail, ip]);

describe('the stream that a line comes from', () => {
  it.each([
    ['nginx-botsearch', out, err, access],
    ['nginx-http-auth', err, out, error],
  ] as const)('%s takes lines of its own only', async (jail, own, other, line) => {
    await start({ 'fail2ban.jail': jail });
    log(other, line('198.51.100.66'));
    log(own, line('192.0.2.7'));
    await live.sees('found', { ip: '192.0.2.7' });
    expect(found()).toEqual([[jail, '192.0.2.7']]);
    expect(live.control.live.options(jail)?.stream).toBe(own === out ? 'stdout' : 'stderr');
  });

  it.each([
    ['a label says so', { 'fail2ban.stream': 'all' }, access('192.0.2.7')],
    ['the expression is the container’s own', { 'fail2ban.failregex': '^x <HOST>$' }, 'x 192.0.2.7'],
  ])('is all the same where %s', async (_, labels, line) => {
    await start({ 'fail2ban.jail': 'nginx-botsearch', ...labels });
    log(err, line);
    await live.sees('found', { ip: '192.0.2.7' });
    expect(found()).toEqual([['nginx-botsearch', '192.0.2.7']]);
  });

  it('is all the same where it is not known, as in a syslog file', async () => {
    const container = { id: idOf('a1'), name: 'web', logDriver: 'syslog' };
    await live.start([{ ...container, labels: { 'fail2ban.jail': 'nginx-http-auth' } }]);
    const header = `${new Date().toISOString()} host ${idOf('a1').slice(0, 12)}[7]:`;
    appendFileSync(join(live.folder, 'syslog'), `${header} ${error('192.0.2.7')}\n`);
    await live.sees('found', { ip: '192.0.2.7' });
    expect(found()).toEqual([['nginx-http-auth', '192.0.2.7']]);
  });

  it('may be chosen for a jail in jail.local, and a wrong name is told', async () => {
    live.config('jail.local', '[nginx-botsearch]\nstream = stderr\n[nginx-errors]\nstream = both\n');
    await start({ 'fail2ban.jail': 'nginx-botsearch,nginx-errors' });
    log(out, access('198.51.100.66'));
    log(err, access('192.0.2.7'));
    await live.sees('found', { ip: '192.0.2.7', jail: 'nginx-botsearch' });
    expect(found()).not.toContainEqual(['nginx-botsearch', '198.51.100.66']);
    await live.sees('config-error', { fix: 'write stdout, stderr or all' });
  });
});
