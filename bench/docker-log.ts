// From Docker's log API, with dock2ban as it is shipped and an engine that only serves logs: memory with 300 containers, lines per second of one
// container, and how soon an attacker on one container is banned while another one logs 500,000 lines a second.
// `npm run bench:docker-log`. Exits 1 if a figure is short of what is wanted.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from './docker-log/daemon.ts';
import { LogEngine } from './docker-log/engine.ts';

const wanted = { memory: 120, linesPerSecond: 100_000, latency: 100 };
const containers = 300;
/** Seconds. */
const quietFor = 30;
const floodFor = 10;
const attackers = 60;
const floodRate = 500_000;
const labels = { 'fail2ban.jail': 'nginx-proxy', 'fail2ban.maxretry': '5' };

/** One line in a hundred is a failure, of clients that never come to five. */
function request(n: number): string {
  const client = `203.0.${n % 113}.${1 + (n % 251)}`;
  return (
    `www.example.com ${client} - - [22/Nov/2026:13:44:53 +0000] "GET /articles/${n}/index.html HTTP/1.1" ` +
    `${n % 100 === 99 ? 404 : 200} ${n % 9000} "https://www.example.com/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0" "172.18.0.4:80"`
  );
}

const folder = mkdtempSync(join(tmpdir(), 'dock2ban-bench-docker-log-'));
const engine = new LogEngine();
let missed = 0;
await engine.start(
  Array.from({ length: containers }, (_, n) => `app-${n}`),
  labels,
);
const daemon = await Daemon.start(join(folder, 'run'), engine.engine.socketPath);
try {
  while (engine.followed < containers) await delay(50);
  await quiet();
  await flood();
  await latency();
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
  const flooding = engine.flood('app-0', request, Infinity, stop.signal);
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
      `${count(lines / seconds)} by the clock; ${daemon.memory.resident.toFixed(0)} MB resident`,
    lines / cpu >= wanted.linesPerSecond,
  );
}

/** From an attacker's fifth bad request being logged to the ban's event. The kernel's part is measured by `bench:latency`. */
async function latency(): Promise<void> {
  const stop = new AbortController();
  const begun = performance.now();
  const flooding = engine.flood('app-0', request, floodRate, stop.signal);
  await delay(2000);
  const times: number[] = [];
  for (let n = 0; n < attackers; n++) {
    const ip = `198.51.100.${n + 1}`;
    const banned = daemon.banOf(ip);
    const line = `app.example.com ${ip} - - [x] "GET /x HTTP/1.1" 404 1 "-" "curl" "-"`;
    engine.log('app-1', line, line, line, line);
    await delay(100 + Math.random() * 100);
    const at = performance.now();
    engine.log('app-1', line);
    times.push((await banned) - at);
  }
  stop.abort();
  const rate = (await flooding) / ((performance.now() - begun) / 1000);
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))]!;
  tell(
    `ban latency while another container logs ${count(rate)} lines a second: median ${at(0.5).toFixed(1)} ms, 95 % ${at(0.95).toFixed(1)} ms, ` +
      `most ${at(1).toFixed(1)} ms (wanted: ${wanted.latency})`,
    at(1) < wanted.latency,
  );
}

function tell(text: string, isMet: boolean): void {
  console.log(`${isMet ? '' : 'SHORT: '}${text}`);
  if (!isMet) missed += 1;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
