// How long an attacker is still served after its fifth bad request: dock2ban and Debian's fail2ban, one after the other on the same
// container and the same log, each quiet and under a flood whose lines must be read too. Run as root: node bench/latency.ts [--rounds N]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Client } from '../test/lab/client.ts';
import { type Lab, startLab } from '../test/lab/lab.ts';
import { projectRoot, startProduct } from '../test/lab/product.ts';
import { attack, type Attack } from './latency/attack.ts';
import { type Contender, Dock2ban } from './latency/contender.ts';
import { Fail2ban } from './latency/fail2ban.ts';
import { Flood, leastFloodRate } from './latency/flood.ts';
import { type FloodedRound, type Measured, report } from './latency/report.ts';

/** Each attacker has an address in 198.51.100.0/24, and a round may need two. */
const mostRounds = 40;
/** Milliseconds that a flood runs before the attack begins. */
const floodLead = 3000;
/** Milliseconds between a contender's start, or the end of a round, and the next attack. */
const rest = 500;

/** Attackers so far: each has an address of its own. */
let attackers = 0;

async function attackOnce(lab: Lab, contender: Contender, url: string): Promise<Attack> {
  attackers += 1;
  await using attacker = await lab.client(`198.51.100.${attackers}`);
  return await attack(attacker, `${url}/missing`, (ip) => contender.bans(ip));
}

async function floodedRound(
  lab: Lab,
  contender: Contender,
  honest: Client,
  url: string,
): Promise<FloodedRound> {
  await contender.refresh();
  await delay(rest);
  const flood = Flood.start(honest, `${url}/`);
  await delay(floodLead);
  const seen = await attackOnce(lab, contender, url).finally(() => flood.stop());
  return { ...seen, floodRate: await flood.rate(seen.from, seen.until) };
}

async function measure(lab: Lab, contender: Contender, rounds: number): Promise<Measured> {
  const url = `http://${lab.host.ip4}`;
  const quiet: Attack[] = [];
  const flooded: FloodedRound[] = [];
  await using honest = await lab.client('203.0.113.7');
  for (let i = 0; i < rounds; i++) {
    await delay(rest);
    quiet.push(await attackOnce(lab, contender, url));
    say(`${contender.name}, quiet, round ${i + 1} of ${rounds}: ${told(quiet.at(-1)!)}`);
  }
  const memoryQuiet = await contender.memory();
  // A busy machine may not bring about a flood: such a round is no measurement, whatever it showed.
  for (let tries = 0; flooded.length < rounds && tries < 2 * rounds; tries++) {
    const round = await floodedRound(lab, contender, honest, url);
    const isFlood = round.floodRate >= leastFloodRate;
    if (isFlood) flooded.push(round);
    const name = isFlood ? `round ${flooded.length} of ${rounds}` : 'no flood, done again';
    say(`${contender.name}, flooded, ${name}: ${told(round)}, flood ${Math.round(round.floodRate)}/s`);
  }
  if (flooded.length < rounds)
    throw new Error(`this machine is too busy for ${leastFloodRate} requests a second`);
  const memoryFlooded = await contender.memory();
  return { name: contender.name, quiet, flooded, memoryQuiet, memoryFlooded };
}

function told({ latency, isBanned, moreServed }: Attack): string {
  return `${isBanned ? '' : '≥ '}${latency.toFixed(1)} ms, ${moreServed} more served`;
}

/** Numbers with one digit after the point, for JSON. */
function tenths(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 10) / 10 : value;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function measureFail2ban(lab: Lab, rounds: number): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'dock2ban-bench-'));
  try {
    await using fail2ban = await Fail2ban.start(lab.host, folder);
    return await measure(lab, fail2ban, rounds);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureDock2ban(lab: Lab, rounds: number): Promise<Measured> {
  await using product = await startProduct(lab);
  return await measure(lab, new Dock2ban(lab.host, product), rounds);
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > mostRounds)
  throw new Error(`--rounds: a number from 1 to ${mostRounds}, not ${values.rounds}`);

{
  await using lab = await startLab();
  // The same container serves both; dock2ban joins it later.
  const compose = ['--file', 'compose.example.yml', 'up', '--detach', '--no-build', 'nginx-proxy'];
  await lab.host.compose(compose, { cwd: projectRoot });
  const fail2ban = await measureFail2ban(lab, rounds);
  const dock2ban = await measureDock2ban(lab, rounds);
  const { text, json, misses } = report(dock2ban, fail2ban);
  process.stdout.write(`${text}\n${JSON.stringify(json, tenths)}\n`);
  for (const miss of misses) say(`MISSED: ${miss}`);
  process.exitCode = misses.length > 0 ? 1 : 0;
}
