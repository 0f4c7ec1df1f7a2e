// From a growing file to counted failures: ten jails of ten built-in filters on one log, of whose lines one in a hundred is a
// failure; and what following a hundred quiet files costs. `npm run bench:sources`. Exits 1 if a figure is short of what is wanted.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePiece, write } from './sources/log.ts';
import type { Message } from './sources/reader.ts';

const wanted = { linesPerSecond: 1_000_000, idle: 0.01 };
const jails = [
  'sshd',
  'postfix',
  'dovecot',
  'nginx-proxy',
  'nginx-http-auth',
  'nginx-botsearch',
  'nginx-limit-req',
  'apache-auth',
  'vaultwarden',
  'grafana',
];
const linesOfPiece = 100_000;
const pieces = 60;
const rounds = 3;
const quietFiles = 100;
/** Seconds. */
const idleFor = 10;

const folder = await mkdtemp(join(tmpdir(), 'dock2ban-bench-sources-'));
let missed = 0;
try {
  const runs: Extract<Message, { type: 'done' }>[] = [];
  for (let round = 0; round < rounds; round++) runs.push(await flood(join(folder, `flood-${round}`)));
  const lines = linesOfPiece * pieces;
  const rates = runs.map(({ cpu, seconds }) => ({ core: lines / cpu, clock: lines / seconds }));
  const { core, clock } = rates.toSorted((a, b) => a.core - b.core)[Math.floor(rounds / 2)]!;
  if (core < wanted.linesPerSecond) missed += 1;
  console.log(
    `${jails.length} jails, ${lines.toLocaleString('en')} lines of a growing file, one in 100 a failure; median of ${rounds}\n` +
      `  ${count(core)} lines per second of one core (wanted: ${count(wanted.linesPerSecond)}), ${count(clock)} by the clock\n` +
      `  resident memory ${Math.round(Math.max(...runs.map(({ memory }) => memory)))} MB`,
  );
  const idle = await quiet(join(folder, 'quiet'));
  if (idle > wanted.idle) missed += 1;
  console.log(
    `${quietFiles} quiet files\n  ${(idle * 100).toFixed(2)} % of one core (wanted: ${wanted.idle * 100} %)`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = missed === 0 ? 0 : 1;

async function flood(place: string): Promise<Extract<Message, { type: 'done' }>> {
  const log = join(place, 'log', 'mixed.log');
  const config = await configure(place, log);
  await writeFile(log, '');
  const reader = await start(config, place);
  let read = 0;
  const done = new Promise<Extract<Message, { type: 'done' }>>((resolve) => {
    reader.on('message', (message: Message) => {
      if (message.type === 'read') read = message.bytes;
      if (message.type === 'done') resolve(message);
    });
  });
  const piece = makePiece(linesOfPiece);
  await write(log, piece, pieces, () => read);
  const result = await done;
  await once(reader, 'exit');
  for (const [jail, failures] of Object.entries(piece.failures)) {
    const expected = failures * pieces + (jail === 'sshd' ? 1 : 0);
    if (result.failures[jail] === expected) continue;
    missed += 1;
    console.log(`[${jail}] counted ${result.failures[jail]} failures, not ${expected}`);
  }
  await rm(place, { recursive: true, force: true });
  return result;
}

async function quiet(place: string): Promise<number> {
  const config = await configure(place, join(place, 'log', '*.log'));
  const piece = makePiece(400);
  for (let n = 0; n < quietFiles; n++) await writeFile(join(place, 'log', `${n}.log`), piece.bytes);
  const reader = await start(config, place);
  const idle = new Promise<number>((resolve) => {
    reader.on('message', (message: Message) => {
      if (message.type === 'idle') resolve(message.cpu);
    });
  });
  reader.send(idleFor);
  const cpu = await idle;
  reader.kill();
  return cpu;
}

async function configure(place: string, logpath: string): Promise<string> {
  const config = join(place, 'config');
  await mkdir(config, { recursive: true });
  await mkdir(join(place, 'log'));
  const text = jails.map((jail) => `[${jail}]\nenabled = true\nlogpath = ${logpath}\n`);
  await writeFile(join(config, 'jail.local'), text.join('\n'));
  return config;
}

async function start(config: string, place: string): Promise<ReturnType<typeof fork>> {
  const program = fileURLToPath(new URL('sources/reader.ts', import.meta.url));
  const reader = fork(program, [config, join(place, 'state')]);
  reader.once('exit', (code) => {
    if (code) throw new Error(`the reader ended with ${code}`);
  });
  for (;;) {
    const [message] = (await once(reader, 'message')) as [Message];
    if (message.type !== 'following') continue;
    if (message.files === 0) throw new Error('the reader follows no file');
    break;
  }
  return reader;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
