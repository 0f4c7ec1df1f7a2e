import { describe, expect, it } from 'vitest';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { LineScreen } from '../../src/filter/line-screen.ts';
import type { FilterSpec } from '../../src/filter/spec.ts';
import { builtinFilter, filterNames, modesOf, samplesDir } from '../builtin/builtin-filters.ts';
import { readSamples } from '../conformance/sample-log.ts';
import { specOf } from './specs.ts';

process.env['TZ'] = 'UTC';
const now = Date.parse('2026-11-22T13:44:53Z');

/** Ids that a filter finds in lines of known time, and how many lines the screen passed over. */
function found(spec: FilterSpec, texts: readonly string[], isScreened: boolean) {
  const filter = compileFilter(spec);
  const screen = new LineScreen(filter);
  const failures: unknown[] = [];
  let passed = 0;
  for (const [n, text] of texts.entries()) {
    const time = now + n;
    if (isScreened && !screen.mayMatter(text)) passed += 1;
    else failures.push(...filter.process({ text, time, dateRemoved: false }, now));
  }
  return { failures, passed };
}

describe('what a screen passes over, the filter finds nothing in', () => {
  it.each(filterNames)('%s', async (name) => {
    boundBacktracking();
    const samples = await readSamples(samplesDir, name);
    const others = await readSamples(samplesDir, name === 'sshd' ? 'postfix' : 'sshd');
    const once = samples.flatMap(({ text }, i) => [
      text,
      others[i % others.length]!.text,
      `Nov 22 13:44:53 host web[12]: ${text}`,
      text.slice(20),
    ]);
    // Until the screen knows the log, it lets everything pass.
    const length = once.reduce((sum, text) => sum + text.length, 0);
    const texts = Array.from({ length: Math.ceil(16_384 / length) + 1 }, () => once).flat();
    for (const mode of modesOf(name)) {
      const spec = builtinFilter(name, new Map([['mode', mode]]));
      const { failures, passed } = found(spec, texts, true);
      expect(failures).toEqual(found(spec, texts, false).failures);
      expect(failures).not.toEqual([]);
      // Of what another service logged, where there is something to search for.
      const canPass = compileFilter(spec).needles(Buffer.from(texts.join('\n'))) !== undefined;
      expect(passed > 0).toBe(canPass);
    }
  });
});

describe('a screen', () => {
  const ordinary = Array.from({ length: 1_000 }, (_, n) => `GET /index.html ${n} and nothing else to tell`);
  const attack = 'app [2026-11-22 13:44:53] failed login from 192.0.2.1';

  it('passes over nearly all of a log in which nothing is', () => {
    const spec = specOf('failed login from <HOST>');
    const { failures, passed } = found(spec, [...ordinary, attack], true);
    expect(passed).toBeGreaterThan(ordinary.length / 2);
    expect(failures).toMatchObject([{ id: '192.0.2.1' }]);
  });

  it('knows of texts that come together where a date was cut out', () => {
    const spec = specOf(String.raw`^app \[\] failed login from <HOST>$`);
    expect(found(spec, [...ordinary, attack], true).failures).toMatchObject([{ id: '192.0.2.1' }]);
  });

  it('lets every line pass to an expression of several lines', () => {
    const spec = specOf(String.raw`^begin$<SKIPLINES>^failed login from <HOST>$`, { maxlines: 3 });
    const texts = [...ordinary, 'begin', 'between', 'failed login from 192.0.2.1'];
    expect(found(spec, texts, true)).toMatchObject({ passed: 0, failures: [{ id: '192.0.2.1' }] });
  });

  it('searches for many strings', () => {
    const words = ['wrong', 'failed', 'bad', 'odd', 'strange', 'un.known'];
    const spec = specOf(words.map((word) => `${word.replace('.', '\\.')} login from <HOST>`));
    const texts = words.map((word, n) => `${word} login from 192.0.2.${n + 1}`);
    const { failures, passed } = found(spec, [...ordinary, ...texts], true);
    expect(failures).toMatchObject(words.map((_, n) => ({ id: `192.0.2.${n + 1}` })));
    expect(passed).toBeGreaterThan(ordinary.length / 2);
  });
});
