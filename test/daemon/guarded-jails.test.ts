import { describe, expect, it } from 'vitest';
import { readGuardedJails } from '../../src/daemon/guarded-jails.ts';
import type { GuardedJail } from '../../src/firewall/firewall.ts';

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
  ])('is not believed with %s', (_, direct) => {
    expect(readGuardedJails(JSON.stringify([{ ...jails[1], direct: [direct] }]))).toEqual([]);
  });
});
