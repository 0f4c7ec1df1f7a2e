import { describe, it } from 'vitest';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { expectQuickAsThorough } from '../filter/quick-and-thorough.ts';
import { fail2banTree } from './fail2ban-tree.ts';
import { sampleFilters } from './sample-filters.ts';
import { readSamples } from './sample-log.ts';

process.env['TZ'] = 'Europe/Berlin';
const tree = await fail2banTree();
const filters = await sampleFilters(tree);

describe('what makes a filter quick changes nothing of what it finds', () => {
  it.each(filters.names)('%s', async (name) => {
    boundBacktracking();
    const samples = await readSamples(tree.samples, name);
    const runs = new Map(samples.flatMap((sample) => sample.runs.map((run) => [run.name, run])));
    // Innocent lines of another kind between them, as in a real log.
    const others = (await readSamples(tree.samples, name === 'sshd' ? 'postfix' : 'sshd')).slice(0, 40);
    const texts = samples.flatMap(({ text }, i) => [text, others[i % others.length]!.text, text.slice(20)]);
    const neighbour = filters.spec('sshd', new Map());
    for (const { options } of runs.values())
      for (const now of [1_124_013_600_000, Date.now()])
        expectQuickAsThorough(filters.spec(name, options), neighbour, texts, now);
  });
});
