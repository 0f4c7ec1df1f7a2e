import { describe, it } from 'vitest';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { readSamples } from '../conformance/sample-log.ts';
import { expectQuickAsThorough } from '../filter/quick-and-thorough.ts';
import { builtinFilter, filterNames, modesOf, samplesDir } from './builtin-filters.ts';

process.env['TZ'] = 'UTC';
const now = Date.parse('2026-11-22T13:44:53Z');

describe('what makes a built-in filter quick changes nothing of what it finds', () => {
  it.each(filterNames)('%s', async (name) => {
    boundBacktracking();
    const samples = await readSamples(samplesDir, name);
    const others = (await readSamples(samplesDir, name === 'sshd' ? 'postfix' : 'sshd')).slice(0, 40);
    // A line as the container wrote it, what another service logged, and the line as a syslog file has it.
    const texts = samples.flatMap(({ text }, i) => [
      text,
      others[i % others.length]!.text,
      `Nov 22 13:44:53 host web[12]: ${text}`,
      text.slice(20),
    ]);
    const neighbour = builtinFilter('sshd', new Map());
    for (const mode of modesOf(name))
      expectQuickAsThorough(builtinFilter(name, new Map([['mode', mode]])), neighbour, texts, now);
  });
});
