import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandGlob, matchesGlob } from '../../../src/sources/file/glob.ts';
import { watchGlob } from '../../../src/sources/file/watch-glob.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-glob-'));
  for (const file of [
    'a.log',
    'b.log',
    '.hidden.log',
    'app/x.log',
    'app/deep/y.log',
    'web/x.log',
    '[odd].log',
  ]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  symlinkSync('..', join(folder, 'app', 'loop'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const find = async (pattern: string): Promise<string[]> =>
  [...(await expandGlob(join(folder, pattern))).files].map((path) => relative(folder, path)).toSorted();

describe('a pattern', () => {
  it.each<[string, string[]]>([
    ['*.log', ['[odd].log', 'a.log', 'b.log']],
    ['?.log', ['a.log', 'b.log']],
    ['[a].log', ['a.log']],
    ['[!a].log', ['b.log']],
    ['[a-c].log', ['a.log', 'b.log']],
    ['.*.log', ['.hidden.log']],
    ['*/x.log', ['app/x.log', 'web/x.log']],
    ['**/y.log', ['app/deep/y.log']],
    ['app/**/*.log', ['app/deep/y.log', 'app/x.log']],
    ['{a,b}.log', []],
    ['no/*.log', []],
    ['app/x.log', ['app/x.log']],
  ])('%s finds %j, and nothing else fits it', async (pattern, files) => {
    expect(await find(pattern)).toEqual(files);
    for (const file of files) expect(matchesGlob(`/x/${file}`, `/x/${pattern}`)).toBe(true);
    expect(matchesGlob('/x/other.txt', `/x/${pattern}`)).toBe(false);
  });

  it('looks at so many entries and finds so many files, and says that there may be more', async () => {
    expect(await expandGlob('/**/*', { files: 1000, entries: 500 })).toMatchObject({ isCut: true });
    const cut = await expandGlob(join(folder, '*.log'), { files: 2, entries: 500 });
    expect(cut).toMatchObject({ isCut: true, files: expect.objectContaining({ size: 2 }) });
  });

  it('over the whole machine is looked for in seconds, and cut once', async () => {
    const started = performance.now();
    const end = new AbortController();
    let cuts = 0;
    for await (const files of watchGlob('/**/*', end.signal, () => (cuts += 1))) {
      expect(files.size).toBeLessThanOrEqual(1000);
      end.abort();
    }
    expect(cuts).toBe(1);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('never takes longer than its length times that of a name', () => {
    const started = performance.now();
    expect(matchesGlob(`/${'a'.repeat(250)}`, `/${'*a'.repeat(100)}b`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(200);
  });
});
