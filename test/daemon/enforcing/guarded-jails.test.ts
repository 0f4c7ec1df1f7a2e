import { describe, expect, it } from 'vitest';
import { readGuardedJails } from '../../../src/daemon/enforcing/guarded-jails.ts';
import type { GuardedJail } from '../../../src/firewall/firewall.ts';

const port = { protocol: 'tcp', first: 80, last: 80, hostAddress: undefined } as const;
const jails: GuardedJail[] = [
  { name: 'web', closes: [port, { ...port, hostAddress: '192.0.2.7' }], blocktype: 'reject' },
  {
    name: 'tv',
    closes: 'all',
    blocktype: 'drop',
    direct: [
      { parent: 'eth0.50', addresses: ['192.0.2.200', '2001:db8::c8'], closes: 'all' },
      { parent: 'eth0', addresses: ['192.0.2.201'], closes: [port] },
    ],
  },
];

describe('what is remembered of jails', () => {
  it('is read as it was written', () => {
    expect(readGuardedJails(JSON.stringify(jails))).toEqual(jails);
  });

  it.each([
    ['an interface that is none', { parent: 'eth0"; drop', addresses: ['192.0.2.200'], closes: 'all' }],
    ['an address that is none', { parent: 'eth0', addresses: ['192.0.2.200 }'], closes: 'all' }],
    ['no address', { parent: 'eth0', addresses: [], closes: 'all' }],
  ])('is not believed with %s, and the rest is', (_, direct) => {
    const [web, tv] = jails as [GuardedJail, GuardedJail];
    const note = JSON.stringify([{ ...tv, direct: [direct, ...tv.direct!] }, web]);
    expect(readGuardedJails(note)).toEqual([tv, web]);
  });

  it.each([
    ['a port that is none', { ...port, first: 70_000, last: 70_000 }],
    ['a host address that is none', { ...port, hostAddress: 'x' }],
  ])('is not believed with %s, and the rest is', (_, odd) => {
    const note = JSON.stringify([{ ...jails[0], closes: [odd, port] }]);
    expect(readGuardedJails(note)).toEqual([{ ...jails[0], closes: [port] }]);
  });
});
