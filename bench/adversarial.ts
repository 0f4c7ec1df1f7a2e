// What the costliest hostile line costs each filter: `npm run bench:adversarial [FILTER…]`, stock filters and built-in ones (named
// `dock2ban/NAME`). Milliseconds, of the best of several runs, as other work on the machine only adds to it. Exits 1 if one is
// above 50 ms.
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { boundBacktracking } from '../src/filter/backtracking.ts';
import { Dock2banError } from '../src/errors.ts';
import { compileFilter, type Filter } from '../src/filter/filter.ts';
import type { FilterSpec } from '../src/filter/spec.ts';
import type { LogLine } from '../src/sources/log-line.ts';
import { builtinFilter, filterNames, modesOf, samplesDir } from '../test/builtin/builtin-filters.ts';
import { fail2banTree } from '../test/conformance/fail2ban-tree.ts';
import { sampleFilters } from '../test/conformance/sample-filters.ts';
import { readSamples } from '../test/conformance/sample-log.ts';
import { blownUp, runsIn } from '../test/filter/hostile-lines.ts';

const limit = 50;
const now = Date.parse('2026-11-22T13:44:53Z');
/** Of the expressions of a filter, so many are met with lines of their own. */
const maxExamples = 12;
/** Lines up to this cost need no second run. */
const harmless = 10;
const runs = 5;
const coldRuns = 5;

interface Case {
  readonly name: string;
  readonly spec: FilterSpec;
  readonly samples: readonly string[];
}

interface Cost {
  readonly line: string;
  readonly ms: number;
}

boundBacktracking();
const chosen = process.argv.slice(2);
let above = 0;
for await (const one of cases()) {
  const { ms, line } = costliest(one);
  if (ms > limit) above += 1;
  const shown = ms > limit ? `  ${line.slice(0, 100)} … ${line.slice(-60)}` : '';
  console.log(`${ms.toFixed(1).padStart(7)} ms  ${one.name}${shown}`);
}
for (const kind of ['ascii', 'other']) {
  const ms = await firstLine(kind);
  if (ms > limit) above += 1;
  console.log(`${ms.toFixed(1).padStart(7)} ms  the first line of a process without a date, ${kind}`);
}
process.exitCode = above === 0 ? 0 : 1;

async function* cases(): AsyncGenerator<Case> {
  const wanted = (name: string): boolean => chosen.length === 0 || chosen.includes(name);
  for (const name of filterNames) {
    const samples = (await readSamples(samplesDir, name)).map(({ text }) => text);
    for (const mode of wanted(`dock2ban/${name}`) ? modesOf(name) : [])
      yield {
        name: `dock2ban/${name}[${mode}]`,
        spec: builtinFilter(name, new Map([['mode', mode]])),
        samples,
      };
  }
  const tree = await fail2banTree();
  const stock = await sampleFilters(tree);
  for (const name of stock.names.filter(wanted)) {
    const samples = (await readSamples(tree.samples, name)).map(({ text }) => text);
    const specs = ['normal', 'aggressive'].map((mode) => stock.spec(name, new Map([['mode', mode]])));
    for (const [i, spec] of specs.entries()) {
      if (i > 0 && JSON.stringify(spec) === JSON.stringify(specs[0])) continue;
      if (!isUsable(spec)) continue;
      yield { name: `${name}[${['normal', 'aggressive'][i]!}]`, spec, samples };
    }
  }
}

/** A stock filter may lack a mode. */
function isUsable(spec: FilterSpec): boolean {
  try {
    compileFilter(spec);
    return true;
  } catch (error) {
    if (error instanceof Dock2banError) return false;
    throw error;
  }
}

function costliest({ spec, samples }: Case): Cost {
  const lines = [...examples(spec, samples).flatMap(runsIn), ...blownUp(samples)];
  let worst: Cost = { line: '', ms: 0 };
  let filter = warm(spec, samples);
  for (const [count, line] of lines.entries()) {
    // After some slow lines a filter takes another engine: most lines must meet one that hasn't.
    if (count % 10 === 0) filter = warm(spec, samples);
    let ms = costOf(filter, line);
    for (let run = 1; run < runs && ms > Math.max(harmless, worst.ms); run += 1)
      ms = Math.min(ms, costOf(warm(spec, samples), line));
    if (ms > worst.ms) worst = { line, ms };
  }
  return worst;
}

/** A filter that has compiled what it compiles at its first lines. */
function warm(spec: FilterSpec, samples: readonly string[]): Filter {
  const filter = compileFilter(spec);
  for (const text of [...samples.slice(0, 20), 'x', 'é']) filter.process(logged(text), now);
  return filter;
}

/** A line for each of some expressions. */
function examples(spec: FilterSpec, samples: readonly string[]): string[] {
  const filter = compileFilter(spec, { explain: true });
  const byRegex = new Map<number, string>();
  for (const text of samples) {
    const [hit] = filter.examine(logged(text), now).hits;
    if (hit && !byRegex.has(hit.regex)) byRegex.set(hit.regex, text);
  }
  const all = [...byRegex.values()];
  const step = Math.ceil(all.length / maxExamples);
  return all.filter((_, i) => i % step === 0);
}

function costOf(filter: Filter, text: string): number {
  const start = performance.now();
  filter.process(logged(text), now);
  return performance.now() - start;
}

function logged(text: string): LogLine {
  return { text, time: undefined, dateRemoved: false };
}

/** What everything that is made for the first time costs. */
async function firstLine(kind: string): Promise<number> {
  const program = fileURLToPath(new URL('adversarial/first-line.ts', import.meta.url));
  let best = Infinity;
  for (let run = 0; run < coldRuns; run += 1)
    best = Math.min(best, Number((await execa(process.execPath, [program, kind])).stdout));
  return best;
}
