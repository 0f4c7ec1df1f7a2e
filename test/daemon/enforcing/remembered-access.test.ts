import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAccesses, readNetworks } from '../../../src/daemon/enforcing/remembered-access.ts';

const access = {
  container: 'web',
  closes: [
    { protocol: 'tcp', first: 80, last: 81, hostAddress: undefined },
    { protocol: 'udp', first: 53, last: 53, hostAddress: '192.0.2.1' },
  ],
  allow: ['192.0.2.0/24', '2001:db8::/32'],
  deny: ['192.0.2.7'],
};

describe('what was remembered of labels', () => {
  it('is read as it was written', () => {
    const direct = [
      { parent: 'eth0.50', addresses: ['192.0.2.200'], closes: 'all' },
      { parent: 'br-lan', addresses: ['2001:db8::c8'], closes: access.closes },
    ];
    const more = [
      { ...access, awaited: true },
      { ...access, closes: [], direct },
    ];
    expect(readAccesses(JSON.stringify(more))).toEqual(more);
    const accesses = [access, { ...access, container: 'b', allow: undefined }, { ...access, allow: [] }];
    expect(readAccesses(JSON.stringify(accesses))).toEqual(accesses);
  });

  it.each([
    ['no JSON', '{'],
    ['no list', '{}'],
  ])('is nothing where the note is %s', (_, note) => {
    expect(readAccesses(note)).toEqual([]);
  });

  it.each([
    ['a prefix in another spelling', { deny: ['192.0.2.7/24', '192.0.2.7'] }],
    ['a command', { allow: ['192.0.2.7 } accept', '192.0.2.0/24', '2001:db8::/32'] }],
    [
      'a parent that is no interface',
      { direct: [{ parent: 'a" }', addresses: ['192.0.2.7'], closes: 'all' }] },
    ],
    ['a port that is none', { closes: [{ protocol: 'tcp', first: 0, last: 9 }, ...access.closes] }],
    [
      'a host address that is none',
      { closes: [{ ...access.closes[0], hostAddress: 'x' }, ...access.closes] },
    ],
  ])('is read as far as it can be: %s', (_, odd) => {
    const { direct, ...rest } = readAccesses(JSON.stringify([{ ...access, ...odd }]))[0]!;
    expect(rest).toEqual(access);
    expect(direct ?? []).toEqual([]);
  });

  it('lets in nobody where nobody can be read', () => {
    expect(readAccesses(JSON.stringify([{ ...access, allow: ['x'] }]))).toEqual([{ ...access, allow: [] }]);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (note) => {
        expect(Array.isArray(readAccesses(note))).toBe(true);
        expect(Array.isArray(readNetworks(note))).toBe(true);
      }),
    );
  });

  it('has entries that overlap only once', () => {
    const note = JSON.stringify([{ ...access, deny: ['192.0.2.0/24', '192.0.2.7'] }]);
    expect(readAccesses(note)[0]?.deny).toEqual(['192.0.2.0/24']);
  });
});

describe("what was remembered of Docker's networks", () => {
  it('is read as it was written, or not at all', () => {
    const networks = [{ name: 'bridge', driver: 'bridge', subnets: ['172.17.0.0/16'], gateways: [] }];
    expect(readNetworks(JSON.stringify(networks))).toEqual(networks);
    expect(readNetworks(JSON.stringify([{ name: 'bridge' }]))).toEqual([]);
  });
});
