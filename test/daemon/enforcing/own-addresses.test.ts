import { expect, it } from 'vitest';
import { ownAddresses } from '../../../src/daemon/enforcing/own-addresses.ts';
import { NeverBan } from '../../../src/firewall/bans/never-ban.ts';

const networks = [
  { name: 'bridge', driver: 'bridge', subnets: ['172.17.0.0/16'], gateways: [] },
  {
    name: 'app',
    driver: 'bridge',
    subnets: ['172.18.0.0/16', 'fd00:1::/64'],
    gateways: ['172.18.0.1', 'fd00:1::1'],
  },
  { name: 'lan', driver: 'macvlan', subnets: ['192.0.2.0/24'], gateways: ['192.0.2.1'] },
];
const host = ['127.0.0.1', '::1', '192.0.2.10', '172.17.0.1', 'fd00:1::1', 'fe80::1%eth0'];

it.each([
  ['127.0.0.1', 'loopback'],
  ['192.0.2.10', 'host'],
  ['172.18.0.1', 'gateway'],
  ['fd00:1::1', 'gateway'],
  ['172.17.0.1', 'gateway'],
  ['192.0.2.1', 'gateway'],
  ['172.18.0.9', 'docker-network'],
  ['fd00:1::9', 'docker-network'],
  ['192.0.2.77', undefined],
  ['203.0.113.7', undefined],
])('%s is %s', (ip, kind) => {
  expect(new NeverBan(ownAddresses(host, networks)).find(ip)?.kind).toBe(kind);
});
