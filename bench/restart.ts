// How long a start with 100,000 stored bans takes, after a reboot that has emptied the kernel: `node bench/restart.ts`, as root. Exits 1 if it misses what is wanted.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { Store } from '../src/store/store.ts';
import { FakeEngine } from '../test/docker/fake-engine.ts';

const many = 100_000;
const jailCount = 20;
/** Of these, one in ten is over. */
const over = 10;
/** Milliseconds to `ready`. */
const wanted = 3000;

interface LogEvent {
  readonly event: string;
  readonly time: string;
  readonly ip: string;
  readonly until: string;
}

const folder = mkdtempSync(join(tmpdir(), 'dock2ban-restart-'));
const stateDir = join(folder, 'state');
const configDir = join(folder, 'fail2ban');
const names = Array.from({ length: jailCount }, (_, i) => `jail${i}`);

function prepare(): void {
  mkdirSync(configDir);
  writeFileSync(join(folder, 'syslog'), '');
  const jail = (name: string): string =>
    `[${name}]\nenabled = true\nfilter =\nfailregex = ^bad <HOST>$\nlogpath = ${folder}/${name}.log\n`;
  for (const name of names) writeFileSync(join(folder, `${name}.log`), '');
  writeFileSync(join(configDir, 'jail.local'), names.map(jail).join('\n'));
  const now = Date.now();
  const store = new Store({
    stateDir,
    purgeAge: 86_400,
    active: () => [],
    report: (event) => console.error(event),
    clock: () => now,
  });
  for (let i = 0; i < many + many / over; i++) {
    const isOver = i >= many;
    store.put({
      jail: names[i % jailCount]!,
      ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
      since: now - 3_600_000,
      until: isOver ? now - 1000 : now + 3_600_000 + i * 1000,
      count: 1,
      failures: 5,
      container: undefined,
      lines: ['x'.repeat(150)],
    });
  }
  store.notes.set(
    'guarded-jails',
    JSON.stringify(names.map((name) => ({ name, closes: 'all', blocktype: 'drop' }))),
  );
  store.close();
}

/** How to list what the kernel holds, and where addresses and seconds stand in it. */
const backends: Readonly<Record<string, { readonly list: readonly string[]; readonly member: RegExp }>> = {
  'docker-user': { list: ['ipset', 'list'], member: /^(10\.[\d.]+) timeout (\d+)/gm },
  nftables: {
    list: ['nft', '-j', 'list', 'table', 'inet', 'dock2ban'],
    member: /"val": "(10\.[\d.]+)"[^{}]*"expires": (\d+)/g,
  },
};

/** Seconds left by address, as the kernel counts them. */
async function inKernel(pid: number, backend: string): Promise<Map<string, number>> {
  const { list, member } = backends[backend]!;
  const { stdout } = await execa('nsenter', ['-t', String(pid), '-n', ...list], { maxBuffer: 1024 ** 3 });
  const left = new Map<string, number>();
  for (const [, ip, expires] of stdout.matchAll(member)) left.set(ip!, Number(expires));
  return left;
}

const engine = await new FakeEngine().start();
prepare();
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
await execa(process.execPath, [fileURLToPath(new URL('../build.ts', import.meta.url))]);
for (const backend of Object.keys(backends)) {
  const options = [
    ['--docker-host', `unix://${engine.socketPath}`],
    ['--firewall', backend],
    ['--config-dir', configDir],
    ['--state-dir', stateDir],
    ['--socket', join(folder, 'socket')],
    ['--syslog-file', join(folder, 'syslog')],
    ['--log-format', 'json'],
  ];
  const logFile = join(folder, `${backend}.log`);
  const log = openSync(logFile, 'w');
  const started = Date.now();
  const child = spawn('unshare', ['-n', process.execPath, main, 'run', ...options.flat()], {
    stdio: ['ignore', log, 'inherit'],
  });
  const exit = once(child, 'exit');
  const lines = async (): Promise<string[]> => (await readFile(logFile, 'utf8')).split('\n').slice(0, -1);
  const told = (event: string, all: readonly string[]): number =>
    all.filter((line) => line.includes(`"event":"${event}"`)).length;
  for (let all = await lines(); told('ready', all) < 1 || told('restore', all) < many; all = await lines())
    await delay(500);
  const events = (await lines()).map((line) => JSON.parse(line) as LogEvent);
  const ready = Date.parse(events.find(({ event }) => event === 'ready')!.time) - started;
  const restored = events.filter(({ event }) => event === 'restore');
  const untils = new Map(restored.map(({ ip, until }) => [ip, Date.parse(until)]));
  const left = await inKernel(child.pid!, backend);
  const now = Date.now();
  const off = [...left].map(([ip, seconds]) =>
    Math.abs(((untils.get(ip) ?? Infinity) - now) / 1000 - seconds),
  );
  const worst = off.reduce((most, each) => Math.max(most, each), 0);
  child.kill('SIGKILL');
  await exit;
  console.log(
    `${backend}: ready after ${Math.round(ready)} ms (wanted: under ${wanted}); ${untils.size} bans restored, ` +
      `${left.size} in the kernel, remaining times right within ${worst.toFixed(1)} s`,
  );
  if (ready >= wanted || untils.size !== many || left.size !== many || worst > 3) process.exitCode = 1;
}
await engine.stop();
rmSync(folder, { recursive: true });
