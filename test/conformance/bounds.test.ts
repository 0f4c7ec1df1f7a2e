import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { filterOptions, readFilter } from '../../src/config/jails/filter-options.ts';
import { loadConfigTree } from '../../src/config/conf/load-config-tree.ts';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { compileFilter, type Filter } from '../../src/filter/filter.ts';
import type { LogLine } from '../../src/sources/log-line.ts';
import { blownUp } from '../filter/hostile-lines.ts';
import { fail2banTree } from './fail2ban-tree.ts';
import { sampleFilters, specOf } from './sample-filters.ts';
import { readSamples } from './sample-log.ts';

/** Milliseconds: 50 on a quiet machine, with room for a busy one. An expression that backtracks out of hand costs seconds. */
const limit = 200;

const tree = await fail2banTree();
const stock = await sampleFilters(tree);
const root = join(import.meta.dirname, '../..');
const builtin = await loadConfigTree({ builtinDir: join(root, 'filters'), configDir: join(root, 'none') });
const builtinNames = [...builtin.builtin.keys()].flatMap(
  (path) => /^filter\.d\/((?!dock2ban-).*)\.conf$/.exec(path)?.[1] ?? [],
);

beforeAll(boundBacktracking);

describe('no line gets out of hand', () => {
  it.each(stock.names)('of %s', async (name) => {
    const samples = (await readSamples(tree.samples, name)).map(({ text }) => text);
    const modes =
      name === 'sshd' || name === 'postfix' || name === 'dovecot' ? ['normal', 'aggressive'] : ['normal'];
    for (const mode of modes) {
      const filter = compileFilter(stock.spec(name, new Map([['mode', mode]])));
      expect(slowest(filter, samples), mode).toBeLessThan(limit);
    }
  });

  it.each(builtinNames)('of the built-in %s', (name) => {
    const filter = compileFilter(
      specOf(name, filterOptions(readFilter(builtin, name), new Map(), new Map())),
    );
    const line =
      'host nginx-proxy[12]: app.example.com 192.0.2.1 - - [22/Nov/2026:13:44:53 +0000] "GET /x HTTP/1.1" 404 1 "-" "-"';
    expect(slowest(filter, [line])).toBeLessThan(limit);
  });
});

/** The cost of the costliest of many hostile lines, in milliseconds of processor time. */
function slowest(filter: Filter, samples: readonly string[]): number {
  for (const text of [...samples, 'x', 'é', 'x'.repeat(2000), 'é'.repeat(2000)])
    filter.process(logged(text), Date.now());
  let worst = 0;
  for (const text of blownUp(samples)) {
    const line = logged(text);
    // The better of two: the machine has other things to do as well.
    let cost = Infinity;
    for (let run = 0; run < 2 && cost > worst; run += 1) cost = Math.min(cost, costOf(filter, line));
    worst = Math.max(worst, cost);
  }
  return worst;
}

function costOf(filter: Filter, line: LogLine): number {
  const before = process.cpuUsage();
  filter.process(line, Date.now());
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function logged(text: string): LogLine {
  return { text, time: undefined, dateRemoved: false };
}
