import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// The map of `src`: which folder may import which. Circles between files are the linter's matter (`import/no-cycle`).

/** What every folder may import. */
const basics = ['async', 'errors.ts', 'net', 'text'];

/** What else a folder may import. The folders within one share its entry, unless they have their own. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  async: [],
  net: [],
  text: [],
  docker: [],
  sources: [],
  filter: ['sources'],
  config: ['docker', 'filter'],
  jail: ['config', 'filter'],
  firewall: ['config', 'jail'],
  store: ['config', 'jail'],
  control: ['jail'],
  daemon: ['config', 'control', 'docker', 'filter', 'firewall', 'jail', 'sources', 'store'],
  doctor: ['config', 'docker', 'filter', 'firewall', 'sources'],
  cli: ['config', 'control', 'filter'],
  'cli/check': ['config', 'docker', 'filter', 'sources'],
  'cli/commands': ['config', 'control', 'daemon', 'docker', 'doctor', 'firewall', 'store'],
};

/** Within a folder: its folders, each of which may import those behind it; `.` is itself. */
const order: Readonly<Record<string, readonly string[]>> = {
  config: ['jails', 'labels', 'networks', 'options', 'conf'],
  docker: ['.', 'engine'],
  filter: ['dates', 'lines', 'search', 'python-regex'],
  firewall: ['nft', 'iptables', 'ipset', 'access', 'bans', 'tool'],
  doctor: ['checks', 'proofs', 'facts', 'rules'],
  cli: ['commands', 'regex', 'fail2ban-client', 'check'],
  daemon: ['operator', 'jails', 'reading', 'judging', 'enforcing', 'events'],
};

const mostFiles = 22;
/** A folder of one thing that has many parts. */
const large: Readonly<Record<string, number>> = { 'filter/python-regex': 24, 'cli/commands': 24 };

const src = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** `config/labels/access.ts` → what it imports of `src`, as paths of the same form. */
const imports = new Map(files.map((file) => [file, importsOf(file)]));

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  const found = text.matchAll(/^(?:import|export) [^;]*?from '(\.[^']+)';|\bimport\('(\.[^']+)'\)/gm);
  return [...found].map(([, named, lazy]) =>
    relative(src, join(src, dirname(file), named ?? lazy!)).replace(/^\.\.\/.*/, 'outside'),
  );
}

/** `config/labels/access.ts` → `config`; `errors.ts` → itself. */
function topOf(file: string): string {
  return file.split('/')[0]!;
}

describe('the folders of src', () => {
  it('hold everything but main.ts and errors.ts', () => {
    expect(files.filter((file) => !file.includes('/')).toSorted()).toEqual(['errors.ts', 'main.ts']);
  });

  it('import what they may, and nothing else', () => {
    const wrong = [...imports].flatMap(([file, targets]) => {
      const top = topOf(file);
      if (file === 'main.ts' || file === 'errors.ts') return [];
      const known = mayImport[dirname(file)] ?? mayImport[top];
      return targets
        .filter((target) => topOf(target) !== top && ![...basics, ...(known ?? [])].includes(topOf(target)))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it.each(Object.entries(order))('of %s import in one direction', (top, rooms) => {
    const roomOf = (file: string): number =>
      topOf(file) === top ? rooms.indexOf(relative(top, dirname(file)).split('/')[0] || '.') : -1;
    const wrong = [...imports].flatMap(([file, targets]) =>
      targets
        .filter((target) => roomOf(file) >= 0 && roomOf(target) >= 0 && roomOf(target) < roomOf(file))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('are small enough to be looked through', () => {
    const counts = Map.groupBy(files, dirname);
    const crowded = [...counts]
      .map(([folder, { length }]) => [folder, length] as const)
      .filter(([folder, count]) => count > (large[folder] ?? mostFiles));
    expect(crowded).toEqual([]);
  });
});
