import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type BanTimeIncrement, grownBanTime } from '../../src/config/options/bantime-increment.ts';
import { jailOptions } from '../../src/config/options/jail-options.ts';
import { Jail } from '../../src/jail/jail.ts';
import { Store } from '../../src/store/store.ts';
import { jailSpec } from '../jail/jail-spec.ts';
import { fail2banTree } from './fail2ban-tree.ts';

const formulas = [
  // Its own, those that jail.conf suggests, and other arithmetic.
  'ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor',
  'ban.Time * math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)',
  'ban.Time * 2**ban.Count',
  'ban.Time + 60 * ban.Count',
  'ban.Time / (1 + ban.Count)',
  'min(ban.Time * ban.Count, 5000) if ban.Count > 2 else ban.Time * 1.5',
  'max(ban.Time, 86400) * banFactor',
] as const;

/** `bantime.*`, as jail.local has them. */
const options = fc.record(
  {
    formula: fc.constantFrom(...formulas),
    multipliers: fc.constantFrom('1 2 4 8 16 32 64', '1 5 30 60 300 720 1440 2880', '3', '0 1', '10 1'),
    factor: fc.constantFrom('1', '2', '0.5', '1.5', '2.0 / 2.885385'),
    maxtime: fc.constantFrom('60', '1h', '1d', '5w', '10m'),
    rndtime: fc.constantFrom('60', '10m', '2048'),
    overalljails: fc.boolean(),
  },
  { requiredKeys: ['overalljails'] },
);

interface Options {
  readonly formula?: string;
  readonly multipliers?: string;
  readonly factor?: string;
  readonly maxtime?: string;
  readonly rndtime?: string;
  readonly overalljails: boolean;
}

const bantime = fc.constantFrom(60, 600, 3600, 1);
const growthCase = fc.record({
  options,
  bantime,
  counts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
});
const historyCase = fc.record({
  options,
  bantime,
  bans: fc.array(fc.tuple(fc.constantFrom('sshd', 'nginx'), fc.constantFrom('192.0.2.1', '2001:db8::/64')), {
    minLength: 3,
    maxLength: 12,
  }),
});

const random = 0.25;
const begin = 1_795_355_093;
/** Seconds between two bans: the one before is over, or is taken back. */
const between = 100;

function incrementOf(given: Options): BanTimeIncrement {
  const { formula, multipliers, factor = '1', maxtime = '', rndtime = '', overalljails } = given;
  return {
    formula: jailOptions['bantime.formula'](formula ?? formulas[0]),
    multipliers: multipliers === undefined ? [] : jailOptions['bantime.multipliers'](multipliers),
    factor: jailOptions['bantime.factor'](factor),
    maxtime: jailOptions['bantime.maxtime'](maxtime),
    rndtime: jailOptions['bantime.rndtime'](rndtime) ?? 0,
    overalljails,
  };
}

/** The seconds of each ban. */
function ourHistory(given: Options, seconds: number, bans: readonly [string, string, number][]): number[] {
  const stateDir = mkdtempSync(join(tmpdir(), 'dock2ban-increment-'));
  const store = new Store({
    stateDir,
    purgeAge: 86_400,
    active: () => [],
    report: ({ kind }) => {
      throw new Error(kind);
    },
    clock: () => begin * 1000,
  });
  const increment = incrementOf(given);
  const jails = new Map(
    ['sshd', 'nginx'].map((name) => [
      name,
      new Jail(jailSpec({ name, bantime: seconds, increment }), store.history, () => random),
    ]),
  );
  const times = bans.map(([name, ip, at]) => {
    const jail = jails.get(name)!;
    for (const each of jails.values()) each.expire(Infinity);
    const { ban } = jail.ban(ip, at * 1000)!;
    return (ban.until! - ban.since) / 1000;
  });
  store.close();
  rmSync(stateDir, { recursive: true });
  return times;
}

it("grows ban times by fail2ban's own formula code, over tables of options and histories of bans", async () => {
  const tree = await fail2banTree();
  const growth = fc.sample(growthCase, { numRuns: 1500, seed: 20261122 });
  const histories = fc.sample(historyCase, { numRuns: 60, seed: 20261122 }).map((each) => ({
    ...each,
    bans: each.bans.map(([jail, ip], i): [string, string, number] => [jail, ip, begin + i * between]),
  }));
  const increment = <T extends { options: Options }>(each: T) => ({
    ...each,
    options: { increment: 'true', ...each.options },
  });
  const theirs = JSON.parse(
    execFileSync('/usr/bin/python3', ['test/conformance/increment.py'], {
      input: JSON.stringify({
        random,
        growth: growth.map(increment),
        histories: histories.map(increment),
      }),
      env: { PYTHONPATH: tree.pythonPath },
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    }),
  ) as { growth: number[][]; histories: number[][] };
  const close = (times: readonly number[]): number[] => times.map((time) => Number(time.toPrecision(12)));
  for (const [index, { options: given, bantime: seconds, counts }] of growth.entries()) {
    const ours = counts.map((count) => grownBanTime(incrementOf(given), seconds, count, random));
    expect([given, seconds, counts, close(ours)]).toEqual([
      given,
      seconds,
      counts,
      close(theirs.growth[index]!),
    ]);
  }
  // A ban has a length of whole milliseconds.
  const rounded = (times: readonly number[]): number[] =>
    close(times.map((time) => Math.round(time * 1000) / 1000));
  for (const [index, { options: given, bantime: seconds, bans }] of histories.entries()) {
    expect([given, bans, rounded(ourHistory(given, seconds, bans))]).toEqual([
      given,
      bans,
      rounded(theirs.histories[index]!),
    ]);
  }
  expect(new Set(theirs.growth.flat()).size).toBeGreaterThan(500);
});
