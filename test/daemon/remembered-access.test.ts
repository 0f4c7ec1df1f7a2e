import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAccesses, readNetworks } from '../../src/daemon/remembered-access.ts';

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
    ['a prefix in another spelling', JSON.stringify([{ ...access, deny: ['192.0.2.7/24'] }])],
    ['a command', JSON.stringify([{ ...access, allow: ['192.0.2.7 } accept'] }])],
    [
      'a parent that is no interface',
      JSON.stringify([{ ...access, direct: [{ parent: 'a" }', addresses: ['192.0.2.7'], closes: 'all' }] }]),
    ],
    [
      'a port that is none',
      JSON.stringify([{ ...access, closes: [{ protocol: 'tcp', first: 0, last: 9 }] }]),
    ],
    [
      'a host address that is none',
      JSON.stringify([{ ...access, closes: [{ ...access.closes[0], hostAddress: 'x' }] }]),
    ],
  ])('is nothing if it is not whole: %s', (_, note) => {
    expect(readAccesses(note)).toEqual([]);
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
