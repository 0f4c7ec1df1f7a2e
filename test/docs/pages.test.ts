import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = [...readdirSync(root), ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);

function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

it('the README is a door, not a manual', () => {
  expect(textOf('README.md').trimEnd().split('\n').length).toBeLessThan(120);
});

describe.each(pages)('%s', (page) => {
  it('links to what is there', () => {
    const broken = [...textOf(page).matchAll(/\]\((?!https?:)([^)\s#]*)(?:#([^)\s]*))?\)/g)]
      .filter(([, path, anchor]) => {
        const target = path === '' ? page : join(dirname(page), path!);
        if (!existsSync(join(root, target))) return true;
        return anchor !== undefined && !anchorsOf(target).includes(anchor);
      })
      .map(([link]) => link);
    expect(broken).toEqual([]);
  });

  it('names files of the project that are there', () => {
    const named = [...textOf(page).matchAll(/`((?:src|test|bench|docs|filters)\/[\w./-]+)`/g)].map(
      ([, path]) => path!,
    );
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('has examples that are YAML', async () => {
    for (const [, yaml = ''] of textOf(page).matchAll(/^```ya?ml\n(.*?)^```$/gms))
      await expect(format(yaml, { parser: 'yaml' }), yaml).resolves.not.toBe('');
  });
});
