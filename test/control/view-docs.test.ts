import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { apiVersion } from '../../src/control/api.ts';
import { patternOf, routes } from '../../src/control/routes.ts';

const text = readFileSync(fileURLToPath(new URL('../../docs/api.md', import.meta.url)), 'utf8');

/** The resources that the document has a section for. */
const documented = [...text.matchAll(/^### `(\w+) \/(\w+)(\/\S*)`$/gm)].map(
  ([, method = '', version, path = '']) => ({ method, version, path }),
);

const named = (each: { method: string; path: string }): string => `${each.method} ${each.path}`;

it('has each resource once, and no other', () => {
  expect(documented.map(named).toSorted()).toEqual(routes.map(named).toSorted());
  for (const { version } of documented) expect(version).toBe(apiVersion);
});

it('has examples that are JSON', () => {
  const examples = [...text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json = '']) => json);
  expect(examples.length).toBeGreaterThan(2);
  for (const json of examples) expect(() => void JSON.parse(json)).not.toThrow();
});

it('has examples that ask for resources that there are', () => {
  const asked = [...text.matchAll(/http:\/\/dock2ban\/v1(\/[^\s'?]*)/g)].map(([, path = '']) => path);
  expect(asked.length).toBeGreaterThan(3);
  for (const path of asked) expect(routes.some((route) => patternOf(route.path).test(path))).toBe(true);
});
