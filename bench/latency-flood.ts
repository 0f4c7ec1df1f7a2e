// How soon an attacker on one container is banned while another one logs 500,000 lines a second: with the flood in the syslog file, in a log
// file of its own, and in Docker's log API, and the attack by each of these ways. From the writing of the fifth bad line to the ban's
// event; the kernel's part is measured by bench/latency.ts. Tells what rate each source was offered, and what it took.
// node bench/latency-flood.ts [--rate LINES-PER-SECOND]. Exits 1 if a ban took longer than is wanted.
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Daemon } from './docker-log/daemon.ts';
import { LogEngine } from './docker-log/engine.ts';
import { Piece } from './docker-log/piece.ts';
import { badRequest } from './docker-log/request.ts';
import { DockerFlood, FileFlood, type Flood } from './latency-flood/floods.ts';

const { values } = parseArgs({ options: { rate: { type: 'string', default: '500000' } } });
const rate = Number(values.rate);
/** Milliseconds. */
const wanted = 100;
const lead = 2_000;
const attackersByWay = 20;

const ways = ['syslog file', 'log file', "Docker's log API"] as const;
type Way = (typeof ways)[number];

const folder = mkdtempSync(join(tmpdir(), 'dock2ban-bench-flood-'));
const syslog = join(folder, 'run/syslog');
const logOf = (container: string): string => join(folder, `${container}.log`);
const engine = new LogEngine();
let attackers = 0;
let missed = 0;

await engine.start([
  // As many failures as they log, none is banned.
  ...containersOf('busy', {
    'fail2ban.jail': 'busy',
    'fail2ban.filter': 'nginx-proxy',
    'fail2ban.maxretry': '1000000',
    'fail2ban.findtime': '1',
  }),
  ...containersOf('quiet', { 'fail2ban.jail': 'nginx-proxy', 'fail2ban.maxretry': '5' }),
]);
for (const name of ['busy-file', 'quiet-file']) writeFileSync(logOf(name), '');
const daemon = await Daemon.start(join(folder, 'run'), engine.engine.socketPath);
try {
  while (engine.followed < 2) await delay(50);
  await attacked(undefined, () => ({ written: { lines: 0, bytes: 0 }, stop: async () => undefined }));
  await attacked('syslog file', () => new FileFlood(syslog, rate, 'busy-syslog'));
  truncateSync(syslog);
  await attacked('log file', () => new FileFlood(logOf('busy-file'), rate));
  truncateSync(logOf('busy-file'));
  await attacked("Docker's log API", () => new DockerFlood(engine, 'busy-docker', rate));
} finally {
  await daemon.stop();
  await engine.stop();
  rmSync(folder, { recursive: true });
}
process.exitCode = missed === 0 ? 0 : 1;

/** A container for each way. */
function containersOf(kind: string, labels: Record<string, string>) {
  const file = { 'fail2ban.source': 'file', 'fail2ban.logpath': logOf(`${kind}-file`) };
  return [
    { name: `${kind}-syslog`, labels, logDriver: 'syslog', logOptions: { tag: `${kind}-syslog` } },
    { name: `${kind}-file`, labels: { ...labels, ...file } },
    { name: `${kind}-docker`, labels },
  ];
}

/** Attacks by each way in turn, during a flood. */
async function attacked(way: Way | undefined, start: () => Flood): Promise<void> {
  const times = new Map<Way, number[]>(ways.map((each) => [each, []]));
  const flood = start();
  await delay(way ? lead : 500);
  const before = await measured(way, flood);
  for (let n = 0; n < attackersByWay; n++) for (const [each, list] of times) list.push(await attack(each));
  const after = await measured(way, flood);
  await flood.stop();
  const seconds = (after.at - before.at) / 1000;
  const perSecond = (name: 'lines' | 'taken'): string => count((after[name] - before[name]) / seconds);
  console.log(
    way
      ? `Flood in ${way}: ${perSecond('lines')} lines a second offered, ${perSecond('taken')} taken, by ` +
          `${(((after.cpu - before.cpu) / seconds) * 100).toFixed(0)} % of one core; ${daemon.memory.resident.toFixed(0)} MB resident`
      : 'No flood',
  );
  for (const [each, list] of times) tell(each, list);
}

/** What was written and read of a flood up to now. */
async function measured(way: Way | undefined, flood: Flood) {
  const { lines, bytes } = flood.written;
  const { sources } = await daemon.control.status();
  const at = performance.now();
  const source = {
    'syslog file': syslog,
    'log file': logOf('busy-file'),
    "Docker's log API": 'docker:busy-docker',
  };
  const counts = sources.find((one) => way !== undefined && one.source === source[way]);
  // Of files, only bytes are counted.
  const taken = counts?.lines ?? ((counts?.bytes ?? 0) / Math.max(1, bytes)) * lines;
  return { lines, taken, cpu: daemon.cpu, at };
}

/** @returns milliseconds from the fifth bad line to the ban */
async function attack(way: Way): Promise<number> {
  const ip = `198.51.${100 + (attackers >> 8)}.${attackers++ & 255}`;
  const banned = daemon.banOf(ip);
  const line = badRequest(ip);
  log(way, line, line, line, line);
  await delay(50 + Math.random() * 50);
  const at = performance.now();
  log(way, line);
  return (await banned) - at;
}

function log(way: Way, ...lines: readonly string[]): void {
  if (way === "Docker's log API") engine.log('quiet-docker', ...lines);
  else if (way === 'log file') appendFileSync(logOf('quiet-file'), new Piece(lines, 'bare').stamped());
  else appendFileSync(syslog, new Piece(lines, { program: 'quiet-syslog' }).stamped());
}

function tell(way: Way, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))]!;
  const isMet = at(1) < wanted;
  if (!isMet) missed += 1;
  const [median, most95, most] = [0.5, 0.95, 1].map((part) => at(part).toFixed(1));
  console.log(
    `  ban by ${way.padEnd(16)} median ${median} ms, 95 % ${most95} ms, most ${most} ms${isMet ? '' : ` SHORT of ${wanted}`}`,
  );
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
