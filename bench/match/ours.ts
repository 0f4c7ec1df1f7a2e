// Matches a log with filters of a fail2ban tree: `node ours.ts CONFIG LOG FILTER…`, or `/EXPRESSION` for a filter. Prints JSON.
import { readFileSync } from 'node:fs';
import { filterSpecOf } from '../../src/cli/filter-spec-of.ts';
import { filterOptions, readFilter } from '../../src/config/filter-options.ts';
import { parseCall } from '../../src/config/filter-call.ts';
import { loadConfigTree } from '../../src/config/load-config-tree.ts';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { SharedDates } from '../../src/filter/shared-dates.ts';

boundBacktracking();
const [configDir = '', log = '', ...names] = process.argv.slice(2);
const tree = await loadConfigTree({ builtinDir: '/nonexistent', configDir });
const sharedDates = new SharedDates();
const clock = (): number => Date.UTC(2026, 10, 22, 20);
const filters = names.map((name) => {
  const { name: file, options } = parseCall(name);
  const resolved = name.startsWith('/')
    ? new Map([['failregex', name.slice(1)]])
    : filterOptions(readFilter(tree, file), options, new Map());
  const spec = { ...filterSpecOf(name, resolved), usedns: 'no' as const };
  return { filter: compileFilter(spec, { sharedDates, clock, findtime: 1e9 }), matched: 0 };
});
const start = performance.now();
const text = readFileSync(log, 'utf8');
const now = clock();
let lines = 0;
for (let from = 0, end: number; from < text.length; from = end + 1) {
  end = text.indexOf('\n', from);
  const line = { text: text.slice(from, end), time: undefined, dateRemoved: false };
  for (const entry of filters) if (entry.filter.process(line, now).length > 0) entry.matched += 1;
  lines += 1;
}
const seconds = (performance.now() - start) / 1000;
process.stdout.write(JSON.stringify({ lines, seconds, matched: filters.map(({ matched }) => matched) }));
