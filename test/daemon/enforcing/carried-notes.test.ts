import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readAccesses, readGuardedJails, readNetworks } from '../../../src/daemon/enforcing/carried-notes.ts';
import type { GuardedJail } from '../../../src/firewall/firewall.ts';
import { nftables } from '../../firewall/enforcements.ts';
import { SimulatedKernel } from '../../firewall/simulated-kernel.ts';
import { openStore } from '../../store/temporary.ts';
import { idOf } from '../../docker/fake-engine.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

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

describe('after a quiet month and a reboot', () => {
  const daemon = new LiveDaemon();
  const month = 31 * 86_400_000;
  let kernel = new SimulatedKernel();

  afterEach(() => daemon.end());

  it('bans and allow lists are in force before Docker answers', async () => {
    const web = {
      id: idOf('a1'),
      name: 'web',
      labels: { 'fail2ban.allowfrom': '192.0.2.0/24' },
      ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '80' }] },
    };
    daemon.firewall = (neverBan) => nftables.create(kernel, neverBan);
    daemon.config('jail.local', daemon.section('app', 'bantime = 90d'));
    await daemon.start([web]);
    await daemon.control.ban('app', ['203.0.113.9']);
    await daemon.stop();
    // Each run purges every hour.
    const { store } = openStore(`${daemon.folder}/state`);
    await store.purge(Date.now() + month);
    store.close();
    kernel = new SimulatedKernel();
    kernel.now = Date.now();
    await daemon.begin();
    const members = (): string[] => [...nftables.members(kernel, 'app', 4).keys()];
    await vi.waitFor(() => expect(members()).toEqual(['203.0.113.9']), 15_000);
    expect(daemon.control.status()).toMatchObject({
      docker: { connected: false },
      access: [{ container: 'web', ports: ['80/tcp'], allowfrom: ['192.0.2.0/24'] }],
    });
  }, 30_000);
});
