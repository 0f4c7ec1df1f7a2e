import fc from 'fast-check';
import { BlockList } from 'node:net';
import { expect, it } from 'vitest';
import { canonicalTarget } from '../../src/store/ban-target.ts';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['192.0.2.1/32', '192.0.2.1'],
  ['192.0.2.77/24', '192.0.2.0/24'],
  ['255.255.255.255/1', '128.0.0.0/1'],
  ['10.1.2.3/0', '0.0.0.0/0'],
  ['192.0.2.77/255.255.255.0', '192.0.2.0/24'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['2001:db8::1/128', '2001:db8::1'],
  ['2001:db8:1:2:3:4:5:6/64', '2001:db8:1:2::/64'],
  ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
  ['::1/0', '::/0'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['fe80::1%eth0', undefined],
  ['root', undefined],
  ['192.0.2.1/33', undefined],
  ['', undefined],
])('%s is %s', (text, canonical) => {
  expect(canonicalTarget(text)).toBe(canonical);
});

it('names the network that holds the address, and is its own canonical form', () => {
  fc.assert(
    fc.property(fc.ipV6(), fc.integer({ min: 1, max: 127 }), (address, bits) => {
      const target = canonicalTarget(`${address}/${bits}`);
      if (target === undefined || !target.includes(':')) return;
      expect(canonicalTarget(target)).toBe(target);
      const network = new BlockList();
      network.addSubnet(target.split('/')[0]!, bits, 'ipv6');
      expect(network.check(address, 'ipv6')).toBe(true);
    }),
  );
});
