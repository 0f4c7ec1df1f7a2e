import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalAddress,
  canonicalPrefix,
  contains,
  familyOf,
  overlaps,
  prefixOf,
} from '../../src/net/address.ts';

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6().map((text) => canonicalAddress(text)!);
/** Few distinct bits, so that prefixes really nest. */
const dense = fc
  .array(fc.constantFrom('0', '1', '8000', 'ffff'), { minLength: 8, maxLength: 8 })
  .map((groups) => canonicalAddress(groups.join(':'))!);
const address = fc.oneof(ipv4, fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.128.1'), ipv6, dense);
const prefix = fc
  .tuple(address, fc.nat(128))
  .map(([text, bits]) => prefixOf(text, familyOf(text) === 4 ? bits % 33 : bits));

function listOf(text: string): BlockList {
  const bits = text.split('/')[1];
  const list = new BlockList();
  const family = `ipv${familyOf(text)}` as const;
  if (bits === undefined) list.addAddress(text, family);
  else list.addSubnet(network(text), Number(bits), family);
  return list;
}

function network(text: string): string {
  return text.split('/')[0]!;
}

describe('canonicalPrefix', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7/32', '192.0.2.7'],
    ['192.0.2.7/24', '192.0.2.0/24'],
    ['192.0.2.7/255.255.255.0', '192.0.2.0/24'],
    ['192.0.2.7/0', '0.0.0.0/0'],
    ['2001:DB8:0::7/128', '2001:db8::7'],
    ['2001:db8:1:2:3:4:5:6/64', '2001:db8:1:2::/64'],
    ['2001:db8:1:2ff:3:4:5:6/57', '2001:db8:1:280::/57'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::/0', '::/0'],
    ['192.0.2.7/33', undefined],
    ['2001:db8::/129', undefined],
    ['fe80::1%eth0/64', undefined],
    ['192.0.2.7/', undefined],
    ['192.0.2.7/24/24', undefined],
    ['web', undefined],
  ])('%s: %s', (text, expected) => {
    expect(canonicalPrefix(text)).toBe(expected);
  });

  it('is what it is made of again', () => {
    fc.assert(
      fc.property(prefix, (text) => {
        expect(canonicalPrefix(text)).toBe(text);
      }),
    );
  });
});

describe('prefixOf', () => {
  it('is the one prefix of its length that has the address', () => {
    fc.assert(
      fc.property(address, fc.nat(128), (ip, length) => {
        const bits = familyOf(ip) === 4 ? length % 33 : length;
        const text = prefixOf(ip, bits);
        expect(text.includes('/') ? Number(text.split('/')[1]) : familyOf(ip) === 4 ? 32 : 128).toBe(bits);
        expect(listOf(text).check(ip, `ipv${familyOf(ip)}`)).toBe(true);
        expect(prefixOf(network(text), bits)).toBe(text);
      }),
    );
  });
});

describe('contains and overlaps', () => {
  it('agree with the block lists of Node', () => {
    fc.assert(
      fc.property(prefix, address, (outer, ip) => {
        const expected = familyOf(outer) === familyOf(ip) && listOf(outer).check(ip, `ipv${familyOf(ip)}`);
        expect(contains(outer, ip)).toBe(expected);
        expect(overlaps(outer, ip)).toBe(expected);
        expect(overlaps(ip, outer)).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('know nested prefixes from others', () => {
    fc.assert(
      fc.property(prefix, prefix, (a, b) => {
        // Of two prefixes one contains the other, or they have nothing in common.
        const family = `ipv${familyOf(a)}` as const;
        const same = familyOf(a) === familyOf(b);
        const meet = same && (listOf(a).check(network(b), family) || listOf(b).check(network(a), family));
        expect(overlaps(a, b)).toBe(meet);
        expect(contains(a, b) || contains(b, a)).toBe(meet);
        expect(contains(a, b) && contains(b, a)).toBe(a === b);
      }),
      { numRuns: 1000 },
    );
  });
});
