import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { apiVersion } from '../../src/control/api.ts';
import { routes } from '../../src/control/server.ts';

const text = readFileSync(fileURLToPath(new URL('../../docs/api.md', import.meta.url)), 'utf8');

/** The resources that the document has a section for. */
const documented = [...text.matchAll(/^### `(\w+) \/(\w+)(\/\S*)`$/gm)].map(
  ([, method = '', version, path = '']) => ({ method, version, path: path.replaceAll(/\{\w+\}/g, 'x') }),
);

const matching = (path: string, method: string) =>
  routes.filter((route) => route.method === method && route.path.test(path));

it.each(documented)('$method $path is a resource, and one alone', ({ method, version, path }) => {
  expect(version).toBe(apiVersion);
  expect(matching(path, method)).toHaveLength(1);
});

it.each(routes.map(({ method, path }) => ({ method, path })))(
  '$method $path is documented',
  ({ method, path }) => {
    expect(documented.filter((each) => each.method === method && path.test(each.path))).toHaveLength(1);
  },
);

it('has examples that are JSON', () => {
  const examples = [...text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json = '']) => json);
  expect(examples.length).toBeGreaterThan(2);
  for (const json of examples) expect(() => void JSON.parse(json)).not.toThrow();
});

it('has examples that ask for resources that there are', () => {
  const asked = [...text.matchAll(/http:\/\/dock2ban\/v1(\/[^\s'?]*)/g)].map(([, path = '']) => path);
  expect(asked.length).toBeGreaterThan(3);
  for (const path of asked) expect(routes.some((route) => route.path.test(path))).toBe(true);
});
