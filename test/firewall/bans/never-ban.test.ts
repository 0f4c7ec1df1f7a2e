import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, prefixOf } from '../../../src/net/address.ts';
import { NeverBan } from '../../../src/firewall/bans/never-ban.ts';

const neverBan = new NeverBan({
  host: ['198.51.100.1', '2001:db8::1', '172.17.0.1', 'eth0'],
  gateways: ['172.17.0.1', 'fd00:d0c::1'],
  dockerSubnets: ['172.17.0.0/16', 'fd00:d0c::/64'],
});

describe('NeverBan', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.8.9.10', 'loopback'],
    ['::1', 'loopback'],
    ['0.0.0.0', 'special'],
    ['::', 'special'],
    ['169.254.169.254', 'special'],
    ['224.0.0.1', 'special'],
    ['255.255.255.255', 'special'],
    ['fe80::1', 'special'],
    ['ff02::1', 'special'],
    ['198.51.100.1', 'host'],
    ['2001:db8::1', 'host'],
    // Also an address of the host: what counts is that it stands for somebody else.
    ['172.17.0.1', 'gateway'],
    ['fd00:d0c::1', 'gateway'],
    ['172.17.3.4', 'docker-network'],
    ['fd00:d0c::99', 'docker-network'],
    ['203.0.113.9', undefined],
    ['10.0.0.5', undefined],
    ['198.51.100.2', undefined],
    ['2001:db8::2', undefined],
    ['198.51.100.0/24', 'host'],
    ['198.51.100.2/31', undefined],
    ['2001:db8::/64', 'host'],
    ['172.16.0.0/12', 'gateway'],
    ['172.17.128.0/17', 'docker-network'],
    ['172.17.3.0/24', 'docker-network'],
    ['0.0.0.0/0', 'loopback'],
    ['::/0', 'loopback'],
    ['128.0.0.0/1', 'special'],
    ['203.0.113.0/24', undefined],
    ['2001:db8:1::/48', undefined],
    ['172.18.0.1', undefined],
  ])('%s: %s', (ip, kind) => {
    expect(neverBan.find(ip)?.kind).toBe(kind);
  });

  it('says what a prefix has in common with what must not be banned', () => {
    expect(neverBan.find('198.51.100.0/24')?.text).toBe('it overlaps 198.51.100.1, an address of this host');
    expect(neverBan.find('172.17.3.0/24')?.text).toBe('it overlaps 172.17.0.0/16, a Docker network');
    expect(neverBan.find('96.0.0.0/3')?.text).toBe('it overlaps 127.0.0.0/8, loopback');
  });

  it('refuses a prefix exactly if it has an address that it refuses', () => {
    const named = ['127.0.0.1', '198.51.100.1', '172.17.0.1', '172.17.255.255', '224.0.0.1', '10.1.2.3'];
    fc.assert(
      fc.property(fc.constantFrom(...named), fc.integer({ min: 1, max: 32 }), (ip, bits) => {
        if (neverBan.find(ip)) expect(neverBan.find(prefixOf(ip, bits))).toBeDefined();
      }),
    );
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 1, max: 32 }), fc.ipV4(), (ip, bits, other) => {
        const prefix = prefixOf(ip, bits);
        if (contains(prefix, other) && neverBan.find(other)) expect(neverBan.find(prefix)).toBeDefined();
        if (neverBan.find(prefix) === undefined) expect(neverBan.find(ip)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});
