// One measurement of one backend in a process of its own, which has the daemon's V8 flags: node … ours.ts BACKEND speed|memory
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { BanFirewall, GuardedJail } from '../../src/firewall/firewall.ts';
import type { Ban } from '../../src/jail/ban.ts';
import { Jail } from '../../src/jail/jail.ts';
import { Store } from '../../src/store/store.ts';
import { Netns } from '../../test/kernel/netns.ts';
import { jailSpec } from '../../test/jail/jail-spec.ts';
import { backends } from './backends.ts';

/** Bans in force, over so many jails. */
const many = 100_000;
const jailCount = 20;
/** Bans of the streams. */
const few = 20_000;
/** Milliseconds. */
const longestStream = 5000;
/** Bans a second. */
const steadyRate = 10_000;

export interface Speed {
  /** Milliseconds for all, from a store to the kernel. */
  readonly restore: number;
  /** Milliseconds for a look that finds nothing to do, the median of some. */
  readonly idle: number;
  /** Milliseconds for taking over from the kernel after a restart. */
  readonly takeOver: number;
  /** A second: each call awaited before the next, as nobody does but a person who bans by hand. */
  readonly addsOneByOne: number;
  readonly removesOneByOne: number;
  /** A second: separate calls that don't wait for each other, as the daemon makes them. */
  readonly adds: number;
  readonly removes: number;
  /** Milliseconds from the call to the kernel, of bans that come one by one, 10,000 a second: the median, and what one in a hundred exceeds. */
  readonly median: number;
  readonly slow: number;
}

export interface Memory {
  /** Bytes a ban, of the process and of V8's heap. */
  readonly resident: number;
  readonly heap: number;
}

const guarded: GuardedJail[] = Array.from({ length: jailCount }, (_, i) => ({
  name: `jail${i}`,
  closes: 'all',
  blocktype: 'drop',
}));
const names = guarded.map(({ name }) => name);

function address(i: number): string {
  return `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
}

function bans(from: number, count: number): Ban[] {
  const now = Date.now();
  return Array.from({ length: count }, (_, i) => ({
    jail: `jail${i % jailCount}`,
    ip: address(from + i),
    since: now,
    until: now + 86_400_000,
  }));
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function speed(backend: string): Promise<Speed> {
  const netns = await Netns.open();
  const open = async () => {
    const firewall = backends[backend]!(netns);
    await firewall.open();
    return firewall;
  };
  const rate = async (work: () => Promise<unknown>): Promise<number> =>
    (few / (await milliseconds(work))) * 1000;
  /** One after the other, for some seconds at most. */
  const serialRate = async (
    work: (ban: Ban) => Promise<unknown>,
    stream: readonly Ban[],
  ): Promise<number> => {
    const start = performance.now();
    let done = 0;
    for (const ban of stream) {
      await work(ban);
      done += 1;
      if (performance.now() > start + longestStream) break;
    }
    return (done / (performance.now() - start)) * 1000;
  };
  try {
    const first = await open();
    await first.takeOver(names);
    await first.reconcile(guarded);
    const restore = await milliseconds(() => first.ban(bans(0, many)));
    const looks: number[] = [];
    for (let i = 0; i < 7; i += 1) looks.push(await milliseconds(() => first.reconcile(guarded)));
    await first.close();
    const firewall = await open();
    const takeOver = await milliseconds(async () => {
      await firewall.takeOver(names);
      await firewall.reconcile(guarded);
    });
    const stream = bans(many, few);
    const steady = await steadyStream(firewall, bans(many + few, few));
    const measured = {
      ...steady,
      restore,
      idle: looks.toSorted((a, b) => a - b)[3]!,
      takeOver,
      addsOneByOne: await serialRate((ban) => firewall.ban([ban]), stream),
      removesOneByOne: await serialRate((ban) => firewall.unban([ban]), stream),
      adds: await rate(() => Promise.all(stream.map((ban) => firewall.ban([ban])))),
      removes: await rate(() => Promise.all(stream.map((ban) => firewall.unban([ban])))),
    };
    await firewall.close();
    return measured;
  } finally {
    netns.close();
  }
}

/** A stream of separate bans at a steady rate, whether or not those before are in force. */
async function steadyStream(
  firewall: BanFirewall,
  stream: readonly Ban[],
): Promise<Pick<Speed, 'median' | 'slow'>> {
  const latencies: number[] = [];
  const timed = async (ban: Ban): Promise<void> =>
    void latencies.push(await milliseconds(() => firewall.ban([ban])));
  const running: Promise<void>[] = [];
  const start = performance.now();
  while (running.length < stream.length) {
    const due = Math.min(stream.length, ((performance.now() - start) / 1000) * steadyRate);
    while (running.length < due) running.push(timed(stream[running.length]!));
    await turn();
  }
  await Promise.all(running);
  await firewall.unban(stream);
  latencies.sort((a, b) => a - b);
  return {
    median: latencies[Math.floor(latencies.length / 2)]!,
    slow: latencies[Math.floor(latencies.length * 0.99)]!,
  };
}

/** From failures to the kernel and the store: what the daemon keeps of a ban. */
async function memory(backend: string): Promise<Memory> {
  const netns = await Netns.open();
  const stateDir = mkdtempSync(join(tmpdir(), 'dock2ban-bench-'));
  const store = new Store({
    stateDir,
    purgeAge: 86_400,
    active: () => [],
    report: (event) => process.stderr.write(`${JSON.stringify(event)}\n`),
    clock: Date.now,
  });
  try {
    const firewall = backends[backend]!(netns);
    await firewall.open();
    await firewall.takeOver(names);
    await firewall.reconcile(guarded);
    const newJails = (): Jail[] =>
      names.map((name) => new Jail(jailSpec({ name, maxretry: 2, bantime: 86_400 }), store.history));
    const provoke = async (jails: readonly Jail[], from: number, count: number): Promise<void> => {
      for (let i = from; i < from + count; i += 1) {
        const failure = { id: ` ${address(i)} in a line`.split(' ')[1]!, time: Date.now(), attempts: 1 };
        for (let times = 0; times < 2; times += 1) {
          const verdict = jails[i % jailCount]!.observe({ ...failure, lines: [], fields: {} }, Date.now());
          if (verdict.kind !== 'ban') continue;
          store.put({ ...verdict.ban, count: 1, failures: verdict.failures, container: 'web', lines: [] });
          void firewall.ban([verdict.ban]);
        }
        if (i % 200 === 0) await turn();
      }
      store.flush();
      await firewall.reconcile(guarded);
    };
    const warmUp = async (): Promise<void> => {
      const jails = newJails();
      await provoke(jails, many, few);
      await firewall.unban(jails.flatMap((jail) => [...jail.bans.values()]));
    };
    const settled = async () => {
      for (let i = 0; i < 5; i += 1) {
        globalThis.gc!();
        await turn();
      }
      return process.memoryUsage();
    };
    // What comes with any work is not the bans'.
    await warmUp();
    const jails = newJails();
    const before = await settled();
    await provoke(jails, 0, many);
    const after = await settled();
    if (jails.reduce((sum, jail) => sum + jail.bans.size, 0) !== many) throw new Error('not all were banned');
    await firewall.close();
    return {
      resident: (after.rss - before.rss) / many,
      heap: (after.heapUsed - before.heapUsed) / many,
    };
  } finally {
    store.close();
    rmSync(stateDir, { recursive: true });
    netns.close();
  }
}

const [, , backend = '', what] = process.argv;
const result = what === 'memory' ? await memory(backend) : await speed(backend);
process.stdout.write(`${JSON.stringify(result)}\n`);
