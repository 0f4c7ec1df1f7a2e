import { expect, it } from 'vitest';
import { bridgesHere } from '../../src/docker/bridges-here.ts';

const app = {
  driver: 'bridge',
  subnets: ['172.18.0.0/16', 'fd00:1::/64'],
  gateways: ['172.18.0.1', 'fd00:1::1'],
};
const unnamed = { driver: 'bridge', subnets: ['172.17.0.0/16'], gateways: [] };
const lan = { driver: 'macvlan', subnets: ['192.0.2.0/24'], gateways: ['192.0.2.1'] };

it.each([
  ['the host', ['127.0.0.1', '192.0.2.10', '172.18.0.1'], true],
  ['the host, by its first network', ['172.17.0.1'], true],
  ['the host over IPv6', ['fd00:1::1'], true],
  ['a container on the network', ['127.0.0.1', '172.18.0.3'], false],
  ['a container on the first network', ['172.17.0.11'], false],
  ['the gateway of a macvlan network', ['192.0.2.1'], false],
  ['another machine', ['127.0.0.1', '198.51.100.7'], false],
])('%s', (_who, addresses, here) => {
  expect(bridgesHere(addresses, [app, unnamed, lan])).toBe(here);
});
