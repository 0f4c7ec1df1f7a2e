import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { accessOptions } from '../../src/config/labels/label.ts';
import { labelOptions } from '../../src/config/options/jail-options.ts';

// Every name that the pages give to something is the product's own, and the product's names are on the pages.

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (page: string): string => readFileSync(join(root, page), 'utf8');
const pages = [
  'README.md',
  'SECURITY.md',
  'compose.example.yml',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
];
const all = pages.map(read).join('\n');

function help(...words: string[]): string {
  return execFileSync(process.execPath, ['src/main.ts', ...words, '--help'], { cwd: root, encoding: 'utf8' });
}

function found(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name]) => name!))].toSorted();
}

it('labels', () => {
  const known = new Set<string>(['jail', 'source', ...labelOptions, ...accessOptions]);
  const files = new Set(['conf', 'local', 'log', 'sqlite3']);
  const named = found(all, /`?fail2ban\.([a-z]\w*)(?:`|=|:)/g).filter((name) => !files.has(name));
  expect(named.filter((name) => !known.has(name))).toEqual([]);
  expect(found(read('docs/labels.md'), /`fail2ban\.([a-z]\w*)`/g).length).toBeGreaterThan(10);
});

it('environment variables', () => {
  const options = found(help('run'), /^ +--([a-z-]+)/gm);
  const known = new Set(options.map((option) => `DOCK2BAN_${option.toUpperCase().replaceAll('-', '_')}`));
  expect(found(all, /\b(DOCK2BAN_[A-Z_]*[A-Z])/g).filter((name) => !known.has(name))).toEqual([]);
});

it('commands', () => {
  const commands = found(help(), /^ {2}dock2ban ([a-z-]+) .* {2}/gm);
  const table = /^\| `.*^\| `[^\n]*/ms.exec(read('docs/commands.md'))![0];
  expect(found(table, /`dock2ban ([a-z-]+)/g)).toEqual(commands);
  const known = new Set(commands);
  const used = found(all, /dock2ban dock2ban ([a-z-]+)/g);
  expect(used.length).toBeGreaterThan(5);
  expect(used.filter((name) => !known.has(name))).toEqual([]);
});
