import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseListing as parse, readMembers } from '../../../src/firewall/nft/listing.ts';

const table = 'inet dock2ban';
const parseListing = (listing: string) => parse(listing, table);
const own = { family: 'inet', table: 'dock2ban' };
const counter = (packets: number) => ({ counter: { packets, bytes: 60 * packets } });

// As nft 1.0.6 lists it.
const text = (packets = 0): string =>
  JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 } },
      { table: { family: 'inet', name: 'other', handle: 9 } },
      {
        set: {
          family: 'inet',
          name: 'dock2ban-4',
          table: 'other',
          type: 'ipv4_addr',
          handle: 1,
          elem: ['192.0.2.1'],
        },
      },
      { table: { family: 'ip', name: 'dock2ban', handle: 3 } },
      { chain: { family: 'ip', table: 'dock2ban', name: 'elsewhere', handle: 1 } },
      { table: { family: 'inet', name: 'dock2ban', handle: 5 } },
      {
        set: {
          ...own,
          name: 'dock2ban-4',
          type: 'ipv4_addr',
          handle: 1,
          size: 3,
          flags: ['timeout'],
          elem: [
            { elem: { val: '203.0.113.9', timeout: 600, expires: 598 } },
            '203.0.113.10',
            { elem: { val: '203.0.113.11', timeout: 1, expires: 0, comment: 'of 192.0.2.9' } },
          ],
        },
      },
      {
        set: {
          ...own,
          name: 'dock2ban-6/64',
          type: 'ipv6_addr',
          handle: 2,
          // As newer versions do.
          flags: 'timeout',
          count: packets,
          elem: [
            { elem: { val: '::1.2.3.4', timeout: 90, expires: 89 } },
            '64:ff9b::102:304',
            { prefix: { addr: '::', len: 3 } },
          ],
        },
      },
      {
        chain: {
          ...own,
          name: 'input',
          handle: 10,
          type: 'filter',
          hook: 'input',
          prio: -5,
          policy: 'accept',
        },
      },
      { chain: { ...own, name: 'jail-web', handle: 11 } },
      { rule: { ...own, chain: 'jail-web', handle: 13, expr: [counter(packets), { drop: null }] } },
      { 'ct helper': { ...own, name: 'somebody-elses', handle: 14 } },
    ],
  });

describe('parseListing', () => {
  it('reads our table, and no other', () => {
    const { sets, chains, members } = parseListing(text());
    expect(Object.fromEntries(sets)).toEqual({
      'dock2ban-4': { type: 'ipv4_addr', flags: ['timeout'], isLimited: true },
      'dock2ban-6/64': { type: 'ipv6_addr', flags: ['timeout'], isLimited: false },
    });
    expect(Object.fromEntries(chains)).toEqual({
      input: { hook: 'type filter hook input priority -5; policy accept;', rules: [] },
      'jail-web': { hook: undefined, rules: [[counter(0), { drop: null }]] },
    });
    expect(Object.fromEntries(members.get('dock2ban-4')!)).toEqual({
      '203.0.113.9': 598,
      '203.0.113.10': 0,
      '203.0.113.11': 1,
    });
    expect(Object.fromEntries(members.get('dock2ban-6/64')!)).toEqual({
      '::102:304': 89,
      '64:ff9b::102:304': 0,
    });
  });

  it('compares by handles, and not by what changes by itself', () => {
    const { blocks } = parseListing(text());
    expect([...blocks.keys()]).toEqual([
      'table',
      'set dock2ban-4',
      'set dock2ban-6/64',
      'chain input',
      'chain jail-web',
    ]);
    expect(parseListing(text(7)).blocks).toEqual(blocks);
    expect(parseListing(text().replace('"handle":13', '"handle":14')).blocks).not.toEqual(blocks);
    expect(parseListing(text().replace('"handle":5', '"handle":5,"flags":"inet"')).blocks).not.toEqual(
      blocks,
    );
    expect(parseListing(text().replace('"drop":null', '"accept":null')).blocks).not.toEqual(blocks);
  });

  it.each(['', 'no JSON', '[]', '{}', '{"nftables": 3}', 'null'])(
    'does not take %j for a listing',
    (other) => {
      expect(() => parseListing(other)).toThrow(/in a way that is not known/);
    },
  );

  it('takes whatever somebody put there', () => {
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom('inet', 'dock2ban', '::1', '::1;', '192.0.2.1'),
      fc.integer(),
      fc.constant(null),
    );
    const fields = fc.dictionary(
      fc.constantFrom('family', 'table', 'name', 'elem', 'flags', 'val', 'chain'),
      fc.oneof(value, fc.array(value)),
    );
    const object = fc.dictionary(
      fc.constantFrom('table', 'set', 'chain', 'rule', 'x'),
      fc.oneof(
        value,
        fields,
        fields.map((some) => ({ ...some, ...own })),
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(object, value)), (nftables) => {
        for (const held of parseListing(JSON.stringify({ nftables })).members.values()) {
          for (const address of held.keys()) expect(isIP(address), address).toBeGreaterThan(0);
        }
      }),
    );
  });
});

describe('readMembers', () => {
  const set = 'dock2ban-4';
  const read = (listing: string): Record<string, number> => {
    const members: Record<string, number> = {};
    readMembers(listing, table, set, (address, seconds) => void (members[address] = seconds));
    return members;
  };
  const listed = (elem: readonly unknown[], behind: readonly unknown[] = []): string =>
    JSON.stringify({
      nftables: [
        { metainfo: { version: '1.0.6' } },
        { set: { ...own, name: set, type: 'ipv4_addr', handle: 1, flags: ['timeout'], elem } },
        ...behind,
      ],
    })
      // As nft spaces it.
      .replaceAll(/,(?=["{])/g, ', ')
      .replaceAll('":', '": ');
  const address = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
  const element = (i: number, expires = 598) => ({ elem: { val: address(i), timeout: 600, expires } });
  const many = Array.from({ length: 20_000 }, (_, i) => i);

  it('reads a large set to the last element', () => {
    expect(read(listed(many.map((i) => element(i, i + 1))))).toEqual(
      Object.fromEntries(many.map((i) => [address(i), i + 1])),
    );
  });

  it.each([
    ['elements without an end', many.map((i) => (i % 3 === 0 ? address(i) : element(i)))],
    ['only such', many.map(address)],
    [
      'what else an element may be',
      many.map((i) =>
        i % 500 === 0 ? { elem: { val: { prefix: { addr: '10.0.0.0', len: 8 } } } } : element(i),
      ),
    ],
    ['a remark', many.map((i) => ({ elem: { ...element(i).elem, comment: '}}, {"elem": ' } }))],
    ['few', [element(1)]],
    ['none', []],
  ])('reads %s as parseListing does', (_, elements) => {
    for (const behind of [[], [{ rule: { ...own, chain: 'a', expr: [{ counter: { packets: 1 } }] } }]]) {
      const listing = listed(elements, behind);
      expect(read(listing)).toEqual(Object.fromEntries(parseListing(listing).members.get(set)!));
    }
  });

  it('finds nothing in a listing without the set, and does not take anything for a listing', () => {
    expect(read('{"nftables": []}')).toEqual({});
    expect(() => read('nothing')).toThrow(/in a way that is not known/);
  });
});
