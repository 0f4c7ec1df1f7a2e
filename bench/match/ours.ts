// Matches a log with filters of a fail2ban tree, time and again as new filters: `node ours.ts CONFIG LOG ROUNDS FILTER…`, or `/EXPRESSION`
// for a filter. Prints JSON.
import { closeSync, openSync, readSync } from 'node:fs';
import { filterSpecOf } from '../../src/cli/filter-spec-of.ts';
import { filterOptions, readFilter } from '../../src/config/jails/filter-options.ts';
import { parseCall } from '../../src/config/options/filter-call.ts';
import { loadConfigTree } from '../../src/config/conf/load-config-tree.ts';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { compileFilter, type Filter } from '../../src/filter/filter.ts';
import { BlockMatcher } from '../../src/filter/block-matcher.ts';
import { LineBuffer } from '../../src/sources/file/line-buffer.ts';

boundBacktracking();
const [configDir = '', log = '', rounds = '', ...names] = process.argv.slice(2);
const tree = await loadConfigTree({ builtinDir: '/nonexistent', configDir });
const clock = (): number => Date.UTC(2026, 10, 22, 20);
const seconds: number[] = [];
let matched: number[] = [];
for (let round = 0; round < Number(rounds); round++) {
  const filters = names.map(filterOf);
  matched = filters.map(() => 0);
  const note = (index: number): void => void (matched[index]! += 1);
  const start = performance.now();
  const file = openSync(log, 'r');
  const lines = new LineBuffer();
  const matcher = new BlockMatcher(filters);
  const reading = { now: clock(), live: true };
  for (let count: number; (count = readSync(file, lines.free)) > 0;) {
    matcher.match(lines.accept(count), reading, note);
  }
  closeSync(file);
  seconds.push((performance.now() - start) / 1000);
}
process.stdout.write(JSON.stringify({ seconds, matched }));

function filterOf(name: string): Filter {
  const { name: file, options } = parseCall(name);
  const resolved = name.startsWith('/')
    ? new Map([['failregex', name.slice(1)]])
    : filterOptions(readFilter(tree, file), options, new Map());
  const spec = { ...filterSpecOf(name, resolved), usedns: 'no' as const };
  return compileFilter(spec, { clock, findtime: 1e9 });
}
