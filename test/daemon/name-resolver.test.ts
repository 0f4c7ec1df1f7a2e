import { expect, it, vi } from 'vitest';
import { CachingResolver } from '../../src/daemon/name-resolver.ts';

const address = '198.51.100.66';

it('answers later the first time, at once the second, and asks again after five minutes', async () => {
  let now = 0;
  const ask = vi.fn(async () => [address]);
  const resolver = new CachingResolver(ask, () => now);
  const known = vi.fn();
  expect(resolver.lookup('bad.example', known)).toBeUndefined();
  expect(resolver.lookup('bad.example', known)).toBeUndefined();
  await vi.waitFor(() => expect(known).toHaveBeenCalledTimes(2));
  expect(known).toHaveBeenCalledWith([address]);
  expect(resolver.lookup('bad.example', known)).toEqual([address]);
  now = 300_000;
  expect(resolver.lookup('bad.example', known)).toBeUndefined();
  await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2));
});

it('takes a name that fails for one without addresses', async () => {
  const resolver = new CachingResolver(() => Promise.reject(new Error('ENOTFOUND')));
  const known = vi.fn();
  resolver.lookup('no.example', known);
  await vi.waitFor(() => expect(known).toHaveBeenCalledWith([]));
});

it('is bounded, whatever names an attacker makes up', async () => {
  let underWay = 0;
  let most = 0;
  let asked = 0;
  const resolver = new CachingResolver(async () => {
    asked += 1;
    most = Math.max(most, ++underWay);
    await new Promise(setImmediate);
    underWay -= 1;
    return [];
  });
  const known = vi.fn();
  for (let i = 0; i < 10_000; i++) resolver.lookup(`${i}.example`, known);
  await vi.waitFor(() => expect(known.mock.calls.length).toBeGreaterThanOrEqual(200));
  await new Promise(setImmediate);
  expect(most).toBeLessThanOrEqual(8);
  expect(asked).toBeLessThan(300);
});
