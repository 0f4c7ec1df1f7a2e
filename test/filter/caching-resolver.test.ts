import { describe, expect, it, vi } from 'vitest';
import { CachingResolver } from '../../src/filter/caching-resolver.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the resolver', () => {
  it('answers later, then at once, and asks again after five minutes', async () => {
    let now = 0;
    const lookUp = vi.fn(async () => ['192.0.2.1', '2001:DB8::1', '192.0.2.1']);
    const resolver = new CachingResolver(lookUp, () => now);
    const told: unknown[] = [];
    const ask = (): readonly string[] | undefined =>
      resolver.lookup('a.example', (addresses) => told.push(addresses));
    expect([ask(), ask()]).toEqual([undefined, undefined]);
    await settled();
    expect(told).toEqual([
      ['192.0.2.1', '2001:db8::1'],
      ['192.0.2.1', '2001:db8::1'],
    ]);
    now = 299_999;
    expect(ask()).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(lookUp).toHaveBeenCalledTimes(1);
    now = 300_000;
    expect(ask()).toBeUndefined();
    expect(lookUp).toHaveBeenCalledTimes(2);
  });

  it('takes a name that can’t be resolved for one without addresses', async () => {
    const resolver = new CachingResolver(() => Promise.reject(new Error('ENOTFOUND')));
    resolver.lookup('no.example', () => {});
    await settled();
    expect(resolver.lookup('no.example', () => {})).toEqual([]);
  });

  it('asks for few names at a time', () => {
    const lookUp = vi.fn(() => new Promise<string[]>(() => {}));
    const resolver = new CachingResolver(lookUp);
    const answers = Array.from({ length: 100 }, (_, i) => resolver.lookup(`${i}.example`, () => {}));
    expect(lookUp).toHaveBeenCalledTimes(32);
    expect(answers.slice(32)).toEqual(Array.from({ length: 68 }, () => []));
  });
});
