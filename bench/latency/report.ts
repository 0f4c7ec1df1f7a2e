import type { Attack } from './attack.ts';
import type { Memory } from './memory.ts';

/** What is promised of dock2ban: a median, milliseconds; its share of fail2ban's; resident megabytes, without a flood. */
const promised = { median: 20, share: 0.1, vmRss: 90 } as const;

export interface FloodedRound extends Attack {
  /** The honest client's responses a second meanwhile. */
  readonly floodRate: number;
}

/** All that was measured of one contender. */
export interface Measured {
  readonly name: string;
  readonly quiet: readonly Attack[];
  readonly flooded: readonly FloodedRound[];
  readonly memoryQuiet: Memory;
  readonly memoryFlooded: Memory;
}

interface Figures {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Whether the median is only a lower bound: the attacker gave up before it was banned. */
  readonly atLeast: boolean;
  readonly moreServed: { readonly median: number; readonly max: number };
  readonly leastFloodRate?: number;
}

export interface Report {
  readonly text: string;
  readonly json: unknown;
  /** What was promised and isn't so. */
  readonly misses: readonly string[];
}

export function report(dock2ban: Measured, fail2ban: Measured): Report {
  const cases = [
    { name: 'quiet', ours: figures(dock2ban.quiet), theirs: figures(fail2ban.quiet) },
    { name: 'flood', ours: figures(dock2ban.flooded), theirs: figures(fail2ban.flooded) },
  ];
  const rows = cases.flatMap(({ name, ours, theirs }) => [
    row(name, dock2ban.name, ours),
    row(name, fail2ban.name, theirs),
  ]);
  const memory = [dock2ban, fail2ban].flatMap((each) => [
    memoryRow(each.name, 'quiet', each.memoryQuiet),
    memoryRow(each.name, 'flood', each.memoryFlooded),
  ]);
  const lines = [
    `From the fifth bad response to the first dropped request, one request every 10 ms, ${dock2ban.quiet.length} rounds each`,
    columns(['', '', 'median ms', 'min', 'max', 'more served', '(most)', 'flood/s']),
    ...rows,
    ...cases.map(({ name, ours, theirs }) => `${name}: fail2ban takes ${times(ours, theirs)} as long`),
    '',
    'Memory, MB',
    columns(['', '', 'VmRSS', 'VmHWM', 'PSS']),
    ...memory,
  ];
  const { vmRss } = dock2ban.memoryQuiet;
  return {
    text: lines.join('\n'),
    json: { rounds: dock2ban.quiet.length, dock2ban: summary(dock2ban), fail2ban: summary(fail2ban) },
    misses: [
      ...cases.flatMap(({ name, ours, theirs }) => shortfalls(name, ours, theirs)),
      ...(vmRss < promised.vmRss ? [] : [`VmRSS ${vmRss.toFixed(1)} MB, not under ${promised.vmRss}`]),
    ],
  };
}

function figures(rounds: readonly (Attack | FloodedRound)[]): Figures {
  const sorted = rounds.toSorted((a, b) => a.latency - b.latency);
  const served = rounds.map(({ moreServed }) => moreServed).toSorted((a, b) => a - b);
  const rates = rounds.flatMap((round) => ('floodRate' in round ? round.floodRate : []));
  const upper = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
  return {
    median: medianOf(sorted.map(({ latency }) => latency)),
    min: sorted[0]!.latency,
    max: sorted.at(-1)!.latency,
    atLeast: upper.some(({ isBanned }) => !isBanned),
    moreServed: { median: medianOf(served), max: served.at(-1)! },
    ...(rates.length > 0 && { leastFloodRate: Math.min(...rates) }),
  };
}

/** @param sorted not empty */
function medianOf(sorted: readonly number[]): number {
  const low = sorted[Math.floor((sorted.length - 1) / 2)]!;
  const high = sorted[Math.floor(sorted.length / 2)]!;
  return (low + high) / 2;
}

function shortfalls(name: string, ours: Figures, theirs: Figures): string[] {
  const misses: string[] = [];
  if (ours.atLeast) misses.push(`${name}: not banned in every second round`);
  if (ours.median >= promised.median)
    misses.push(`${name}: median ${ours.median.toFixed(1)} ms, not under ${promised.median}`);
  if (ours.median >= promised.share * theirs.median)
    misses.push(`${name}: fail2ban takes only ${times(ours, theirs)} as long`);
  return misses;
}

function times(ours: Figures, theirs: Figures): string {
  return `${theirs.atLeast ? 'at least ' : ''}${(theirs.median / ours.median).toFixed(1)} times`;
}

function row(load: string, name: string, of: Figures): string {
  const rate = of.leastFloodRate === undefined ? '' : of.leastFloodRate.toFixed(0);
  return columns([
    load,
    name,
    `${of.atLeast ? '≥ ' : ''}${of.median.toFixed(1)}`,
    of.min.toFixed(1),
    of.max.toFixed(1),
    String(of.moreServed.median),
    String(of.moreServed.max),
    rate,
  ]);
}

function memoryRow(name: string, load: string, { vmRss, vmHwm, pss }: Memory): string {
  return columns([load, name, vmRss.toFixed(1), vmHwm.toFixed(1), pss.toFixed(1)]);
}

function columns([load = '', name = '', ...numbers]: readonly string[]): string {
  return `${load.padEnd(6)}${name.padEnd(9)}${numbers.map((text) => text.padStart(12)).join('')}`.trimEnd();
}

function summary({ quiet, flooded, memoryQuiet, memoryFlooded }: Measured): unknown {
  const latencies = (rounds: readonly Attack[]): number[] => rounds.map(({ latency }) => latency);
  return {
    quiet: { ...figures(quiet), rounds: latencies(quiet) },
    flood: { ...figures(flooded), rounds: latencies(flooded) },
    memory: { quiet: memoryQuiet, flood: memoryFlooded },
  };
}
