import type { Sample } from './load.ts';
import type { Variant } from './variants.ts';

/** What was measured of a variant, by load. */
export interface Measured {
  readonly variant: Variant;
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
}

export interface Report {
  readonly text: string;
  /** What is less than it should be, for people. */
  readonly misses: readonly string[];
  /** What seems to be, on a machine that is too busy to tell. */
  readonly doubts: readonly string[];
}

/** Of a load under a variant. */
interface Figures {
  /** A second. */
  readonly rate: number;
  /** Microseconds each. */
  readonly cpu: number;
  /** By which part of it the rate in one half of the rounds was less than in the other. */
  readonly spread: number;
}

/**
 * Two lines a variant: of each load the rate, and the processor time, with how much they are of those of the variant that it is compared with.
 * Whatever else the machine does makes both worse, never better: so the upper quartile of the rates counts, and the lower of the times.
 */
export function report(measured: readonly Measured[], loads: readonly string[]): Report {
  const misses: string[] = [];
  const doubts: string[] = [];
  const figures = new Map(
    measured.map(({ variant, samples }) => [
      variant.name,
      new Map(loads.map((load) => [load, figuresOf(samples.get(load)!)])),
    ]),
  );
  const lines = measured.flatMap(({ variant: { name, than, loss } }) => {
    const cells = loads.map((load) => {
      const mine = figures.get(name)!.get(load)!;
      const other = than === undefined ? undefined : figures.get(than)!.get(load)!;
      // A lower rate that took no more processor time is the machine's doing.
      const left = loss === undefined ? 0 : 1 - loss;
      if (other && mine.rate < other.rate * left && mine.cpu * left > other.cpu) {
        const isSure = Math.max(mine.spread, other.spread) < loss!;
        (isSure ? misses : doubts).push(
          `${name}: ${percent(mine.rate, other.rate)} of the ${load} of ${than}`,
        );
      }
      return [
        cell(Math.round(mine.rate).toLocaleString('en'), percent(mine.rate, other?.rate)),
        cell(`${mine.cpu.toFixed(2)} µs`, percent(mine.cpu, other?.cpu)),
      ] as const;
    });
    return [
      [name.padEnd(28), ...cells.map(([rate]) => rate), than === undefined ? '' : `  of ${than}`],
      [''.padEnd(28), ...cells.map(([, cpu]) => cpu), '  processor time each'],
    ];
  });
  const head = [''.padEnd(28), ...loads.map((load) => cell(`${load}/s`, ''))];
  return { text: [head, ...lines].map((cells) => cells.join('').trimEnd()).join('\n'), misses, doubts };
}

function figuresOf(samples: readonly Sample[]): Figures {
  const rateOf = (some: readonly Sample[]): number =>
    upTo(
      some.map(({ rate }) => rate),
      0.75,
    );
  const half = Math.ceil(samples.length / 2);
  const halves = [rateOf(samples.slice(0, half)), rateOf(samples.slice(-half))];
  const times = samples.map(({ cpu }) => cpu);
  return {
    rate: rateOf(samples),
    cpu: upTo(times, 0.25),
    spread: 1 - Math.min(...halves) / Math.max(...halves),
  };
}

/** The value that this share of them does not exceed. */
function upTo(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.round((values.length - 1) * share)]!;
}

function cell(value: string, share: string): string {
  return `${value.padStart(14)} ${share.padStart(6)}`;
}

function percent(value: number, of: number | undefined): string {
  return of === undefined ? '' : `${((value / of) * 100).toFixed(1)}%`;
}
