import { describe, expect, it } from 'vitest';
import { NeverBan } from '../../src/firewall/never-ban.ts';

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
    ['172.18.0.1', undefined],
  ])('%s: %s', (ip, kind) => {
    expect(neverBan.find(ip)?.kind).toBe(kind);
  });
});
