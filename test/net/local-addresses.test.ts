import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { addressesIn, localAddresses } from '../../src/net/local-addresses.ts';

const trie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 172.17.0.0/16 2 0 2
        |-- 172.17.0.0
           /16 link UNICAST
           /32 link BROADCAST
        |-- 172.17.255.255
           /32 link BROADCAST
Local:
  +-- 127.0.0.0/8 2 0 2
     |-- 127.0.0.0
        /8 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
  +-- 172.17.0.0/16 2 0 2
     |-- 172.17.0.1
        /32 link UNICAST
        /32 host LOCAL
     |-- 172.17.0.2
        /32 link UNICAST
`;

it("are those that the kernel's routes call local", () => {
  expect(addressesIn(trie)).toEqual(['127.0.0.1', '172.17.0.1']);
});

it('are, on this machine, those of its interfaces, or more', () => {
  const interfaces = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const four = interfaces.filter(({ family }) => family === 'IPv4').map(({ address }) => address);
  expect(localAddresses()).toEqual(expect.arrayContaining(four));
});
