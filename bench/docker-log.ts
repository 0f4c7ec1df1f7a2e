// From Docker's log API, with dock2ban as it is shipped and an engine that only serves logs: memory with 300 containers, and lines per second
// of one container. `npm run bench:docker-log`. Exits 1 if a figure is short of what is wanted.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from './docker-log/daemon.ts';
import { LogEngine } from './docker-log/engine.ts';
import { request } from './docker-log/request.ts';

const wanted = { memory: 120, linesPerSecond: 100_000 };
const containers = 300;
/** Seconds. */
const quietFor = 30;
const floodFor = 10;
const rest = 30;
const labels = { 'fail2ban.jail': 'nginx-proxy', 'fail2ban.maxretry': '5' };

const folder = mkdtempSync(join(tmpdir(), 'dock2ban-bench-docker-log-'));
const engine = new LogEngine();
let missed = 0;
await engine.start(Array.from({ length: containers }, (_, n) => ({ name: `app-${n}`, labels })));
const daemon = await Daemon.start(join(folder, 'run'), engine.engine.socketPath);
try {
  while (engine.followed < containers) await delay(50);
  await quiet();
  await flood();
} finally {
  await daemon.stop();
  await engine.stop();
  rmSync(folder, { recursive: true });
}
process.exitCode = missed === 0 ? 0 : 1;

/** Each container logs a line a second. */
async function quiet(): Promise<void> {
  const cpu = daemon.cpu;
  for (let second = 0; second < quietFor; second++) {
    for (let n = 0; n < containers; n++) engine.log(`app-${n}`, request(100 * second + n));
    await delay(1000);
  }
  const { resident, most } = daemon.memory;
  tell(
    `${containers} containers that log a line a second: ${resident.toFixed(0)} MB resident (most: ${most.toFixed(0)}; wanted: ${wanted.memory}), ` +
      `${(((daemon.cpu - cpu) / quietFor) * 100).toFixed(1)} % of one core`,
    resident <= wanted.memory,
  );
}

/** One container logs as fast as it is read. */
async function flood(): Promise<void> {
  const stop = new AbortController();
  const flooding = engine.flood('app-0', request, Infinity, stop.signal, () => undefined);
  await delay(2000);
  const before = { at: performance.now(), cpu: daemon.cpu, lines: await daemon.linesOf('app-0') };
  await delay(floodFor * 1000);
  const lines = (await daemon.linesOf('app-0')) - before.lines;
  const cpu = daemon.cpu - before.cpu;
  const seconds = (performance.now() - before.at) / 1000;
  stop.abort();
  await flooding;
  tell(
    `one container as fast as it is read: ${count(lines / cpu)} lines per second of one core (wanted: ${count(wanted.linesPerSecond)}), ` +
      `${count(lines / seconds)} by the clock`,
    lines / cpu >= wanted.linesPerSecond,
  );
  const { most } = daemon.memory;
  await delay(rest * 1000);
  const { resident } = daemon.memory;
  console.log(`${rest} s after that: ${resident.toFixed(0)} MB resident (most: ${most.toFixed(0)})`);
}

function tell(text: string, isMet: boolean): void {
  console.log(`${isMet ? '' : 'SHORT: '}${text}`);
  if (!isMet) missed += 1;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
