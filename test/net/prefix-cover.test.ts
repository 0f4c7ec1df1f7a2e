import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, overlaps, prefixOf } from '../../src/net/address.ts';
import { prefixCover } from '../../src/net/prefix-cover.ts';

const prefix = fc
  .tuple(fc.constantFrom('192.0.2.77', '192.0.2.78', '198.51.100.1'), fc.integer({ min: 0, max: 32 }))
  .map(([ip, bits]) => prefixOf(ip, bits));
const prefix6 = fc
  .tuple(fc.constantFrom('2001:db8::77', '2001:db8:1::77'), fc.integer({ min: 0, max: 128 }))
  .map(([ip, bits]) => prefixOf(ip, bits));

describe('prefixCover', () => {
  it.each([
    [[], []],
    [['192.0.2.7', '192.0.2.0/24', '192.0.2.7'], ['192.0.2.0/24']],
    [
      ['2001:db8::1', '0.0.0.0/0', 'nobody', '198.51.100.1'],
      ['0.0.0.0/0', '2001:db8::1'],
    ],
    [
      ['192.0.2.128/25', '192.0.2.0/25'],
      ['192.0.2.0/25', '192.0.2.128/25'],
    ],
  ])('%j', (given, expected) => {
    expect(prefixCover(given)).toEqual(expected);
  });

  it('holds what was given, whatever the order, and nothing twice', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(prefix, prefix6)), (given) => {
        const cover = prefixCover(given);
        for (const each of given) expect(cover.some((outer) => contains(outer, each))).toBe(true);
        for (const each of cover) expect(given).toContain(each);
        for (const [i, a] of cover.entries()) {
          for (const b of cover.slice(i + 1)) expect(overlaps(a, b)).toBe(false);
        }
        expect(prefixCover(given.toReversed())).toEqual(cover);
      }),
    );
  });
});
