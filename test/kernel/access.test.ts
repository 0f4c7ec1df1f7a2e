import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccessSpec } from '../../src/config/labels/access-spec.ts';
import { accessChainRules, accessRules } from '../../src/firewall/access/access-rules.ts';
import { chainRules } from '../../src/firewall/iptables/chain-rules.ts';
import { parseTable } from '../../src/firewall/iptables/filter-table.ts';
import type { BanFirewall } from '../../src/firewall/firewall.ts';
import {
  backends,
  banFor,
  everything,
  likeDocker,
  neverBan,
  openFirewall,
  published,
  whyNotHere,
} from './firewall-fixture.ts';
import { Netns } from './netns.ts';
import { Party } from './party.ts';

const nothing = { repairs: [], shortfalls: [], refused: [] };

const addresses = {
  4: {
    bits: 24,
    friend: '198.51.100.10',
    stranger: '198.51.100.66',
    host: '198.51.100.1',
    container: '172.17.0.2',
    bridge: '172.17.0.1',
  },
  6: {
    bits: 64,
    friend: '2001:db8::10',
    stranger: '2001:db8::66',
    host: '2001:db8::1',
    container: 'fd00:30::2',
    bridge: 'fd00:30::1',
  },
} as const;

const web = (more: Partial<AccessSpec>): AccessSpec => ({
  container: 'web',
  closes: [published(8080)],
  allow: undefined,
  deny: [],
  ...more,
});

describe.skipIf(whyNotHere()).each(backends)('who gets to a container, %s', (backend) => {
  const variants = backend === 'nftables' ? (['nft'] as const) : (['nft', 'legacy'] as const);
  let outside: Netns;
  let host: Netns;
  let container: Netns;
  let parties: Party[];
  let firewall: BanFirewall;
  let commands: string[];

  beforeEach(async () => {
    [outside, host, container] = await Promise.all([Netns.open(), Netns.open(), Netns.open()]);
    parties = [];
    await link(host, 'wan', outside, 'eth0');
    await link(host, 'lan', container, 'eth0');
    await host.sh('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    for (const family of [4, 6] as const) {
      const { bits, friend, stranger, host: own, bridge, container: inside } = addresses[family];
      const add = (netns: Netns, ip: string, device: string): Promise<string> =>
        netns.sh('ip', 'address', 'add', `${ip}/${bits}`, 'dev', device, ...(family === 6 ? ['nodad'] : []));
      await add(outside, friend, 'eth0');
      await add(outside, stranger, 'eth0');
      await add(host, own, 'wan');
      await add(host, bridge, 'lan');
      await add(container, inside, 'eth0');
      await container.sh('ip', `-${family}`, 'route', 'add', 'default', 'via', bridge);
    }
    ({ firewall, commands } = await openFirewall(host, backend));
  });

  afterEach(async () => {
    await firewall.close();
    await Promise.all(parties.map((party) => party.close()));
    for (const netns of [outside, host, container]) netns.close();
  });

  async function serve(netns: Netns, port: number, address: string): Promise<void> {
    parties.push(await Party.echo(netns, port, address));
  }

  async function connect(from: string, to: string, port: number, netns = outside): Promise<Party> {
    const party = Party.client(netns, to, port, from);
    parties.push(party);
    expect(await party.next(3000), `${from} to ${port}`).toBe('ready');
    return party;
  }

  async function isRefused(from: string, to: string, port: number): Promise<boolean> {
    const party = Party.client(outside, to, port, from);
    parties.push(party);
    return (await party.next(1000)) !== 'ready';
  }

  describe.each(variants)('%s', (variant) => {
    it.each([4, 6] as const)(
      'lets in whom the label names, cuts off all others, and turns round with it (IPv%i)',
      async (family) => {
        const { friend, stranger, host: to, container: inside } = addresses[family];
        await likeDocker(host, variant, backend);
        await publish(host, variant, family, 8080, 80);
        await publish(host, variant, family, 9090, 90);
        await serve(container, 80, inside);
        await serve(container, 90, inside);
        expect(await firewall.reconcile([])).toEqual(nothing);
        const open = await connect(stranger, to, 8080);
        expect(await open.isAnswered('before')).toBe(true);
        const other = await connect(stranger, to, 9090);

        expect(await firewall.reconcile([], [web({ allow: [friend] })])).toEqual(nothing);
        expect(await open.isAnswered('after')).toBe(false);
        expect(await isRefused(stranger, to, 8080)).toBe(true);
        const served = await connect(friend, to, 8080);
        expect(await served.isAnswered('welcome')).toBe(true);
        expect(await other.isAnswered('another service')).toBe(true);
        await connect(stranger, to, 9090);

        expect(await firewall.reconcile([], [web({ allow: [stranger] })])).toEqual(nothing);
        expect(await served.isAnswered('and now?')).toBe(false);
        expect(await isRefused(friend, to, 8080)).toBe(true);
        await connect(stranger, to, 8080);

        expect(await firewall.reconcile([], [web({ deny: [stranger] })])).toEqual(nothing);
        expect(await isRefused(stranger, to, 8080)).toBe(true);
        await connect(friend, to, 8080);

        expect(await firewall.reconcile([], [])).toEqual(nothing);
        await connect(stranger, to, 8080);
      },
    );
  });

  it('closes the family of which it names nobody, and opens one that it names as a whole', async () => {
    await likeDocker(host, 'nft', backend);
    for (const family of [4, 6] as const) {
      await publish(host, 'nft', family, 8080, 80);
      await serve(container, 80, addresses[family].container);
    }
    expect(await firewall.reconcile([], [web({ allow: ['0.0.0.0/0'] })])).toEqual(nothing);
    await connect(addresses[4].stranger, addresses[4].host, 8080);
    expect(await isRefused(addresses[6].stranger, addresses[6].host, 8080)).toBe(true);
    expect(await firewall.reconcile([], [web({ allow: ['::/0'], deny: [addresses[6].stranger] })])).toEqual(
      nothing,
    );
    expect(await isRefused(addresses[4].friend, addresses[4].host, 8080)).toBe(true);
    expect(await isRefused(addresses[6].stranger, addresses[6].host, 8080)).toBe(true);
    await connect(addresses[6].friend, addresses[6].host, 8080);
    expect(await firewall.reconcile([], [web({ deny: ['0.0.0.0/0', '::/0'] })])).toEqual(nothing);
    for (const family of [4, 6] as const) {
      const { friend, host: to } = addresses[family];
      expect(await isRefused(friend, to, 8080)).toBe(true);
    }
  });

  it('leaves alone containers, answers to what they open, and the same port elsewhere', async () => {
    const { friend, stranger, host: to, container: inside, bridge } = addresses[4];
    await likeDocker(host, 'nft', backend);
    await publish(host, 'nft', 4, 8080, 80);
    await serve(container, 80, inside);
    await serve(host, 8443, bridge);
    await serve(outside, 8080, friend);
    // Another network behind this host, whose way to port 8080 of others leads through it.
    await host.sh('ip', 'address', 'add', '192.0.2.129/25', 'dev', 'lan');
    await container.sh('ip', 'address', 'add', '192.0.2.130/25', 'dev', 'eth0');
    await outside.sh('ip', 'route', 'add', '192.0.2.128/25', 'via', to);
    await outside.sh('ip', 'route', 'add', '172.17.0.0/16', 'via', to);
    const closes = [published(8080), published(8443)];
    expect(await firewall.reconcile([], [web({ closes, allow: [], deny: ['0.0.0.0/0'] })])).toEqual(nothing);
    expect(await isRefused(stranger, to, 8080)).toBe(true);
    await connect(inside, bridge, 8443, container);
    for (const from of [inside, '192.0.2.130']) {
      const outgoing = await connect(from, friend, 8080, container);
      expect(await outgoing.isAnswered('answer me')).toBe(true);
    }
    const own = Party.client(host, bridge, 8443, bridge);
    parties.push(own);
    expect(await own.next(3000)).toBe('ready');
  });

  it('closes UDP, a range, one host address, and ports of the host itself', async () => {
    const { friend, stranger, host: to, container: inside } = addresses[4];
    await likeDocker(host, 'nft', backend);
    await host.sh('ip', 'address', 'add', '198.51.100.2/24', 'dev', 'wan');
    await publish(host, 'nft', 4, 8085, 80, 'udp');
    await publish(host, 'nft', 4, 7000, 80);
    await serve(container, 80, inside);
    await serve(host, 443, to);
    const closes = [
      published(8080, 8090, { protocol: 'udp' }),
      published(7000, 7000, { hostAddress: '198.51.100.2' }),
      published(443),
    ];
    const [bad, good] = [stranger, friend].map((from) => Party.datagrams(outside, to, 8085, from));
    parties.push(bad!, good!);
    for (const party of [bad!, good!]) expect(await party.next(3000)).toBe('ready');
    expect(await bad!.isAnswered('before')).toBe(true);
    expect(await firewall.reconcile([], [web({ closes, allow: [friend] })])).toEqual(nothing);
    expect(await bad!.isAnswered('after')).toBe(false);
    expect(await good!.isAnswered('hello')).toBe(true);
    expect(await isRefused(stranger, '198.51.100.2', 7000)).toBe(true);
    await connect(stranger, to, 7000);
    expect(await isRefused(stranger, to, 443)).toBe(true);
    await connect(friend, to, 443);
  });

  it.each([4, 6] as const)(
    'closes a container that does not run before it can be reached, and nothing else (IPv%i)',
    async (family) => {
      const { friend, stranger, host: to, container: inside } = addresses[family];
      await likeDocker(host, 'nft', backend);
      await serve(container, 80, inside);
      await serve(host, 8080, to);
      const access = web({ allow: [friend], awaited: true });
      const running = web({ container: 'running', closes: [published(9090)], allow: [friend] });
      expect(await firewall.reconcile([], [access, running])).toEqual(nothing);
      expect(await firewall.reconcile([], [access, running])).toEqual(nothing);
      // A service of the host has the port meanwhile.
      const own = await connect(stranger, to, 8080);
      expect(await own.isAnswered('the host itself')).toBe(true);

      await publish(host, 'nft', family, 8080, 80);
      await publish(host, 'nft', family, 9090, 80);
      for (const port of [8080, 9090]) {
        expect(await isRefused(stranger, to, port)).toBe(true);
        await connect(friend, to, port);
      }
      expect(await firewall.reconcile([], [web({ allow: [friend] })])).toEqual(nothing);
      expect(await isRefused(stranger, to, 8080)).toBe(true);
      await connect(stranger, to, 9090);
    },
  );

  it('still bans those whom it lets in', async () => {
    const { friend, host: to, container: inside } = addresses[4];
    await likeDocker(host, 'nft', backend);
    await publish(host, 'nft', 4, 8080, 80);
    await serve(container, 80, inside);
    const jail = { name: 'web', closes: [published(8080)], blocktype: 'drop' as const };
    await firewall.reconcile([jail], [web({ allow: [friend] })]);
    await connect(friend, to, 8080);
    await firewall.ban([banFor(friend, 600, 'web')]);
    expect(await isRefused(friend, to, 8080)).toBe(true);
  });

  it('writes nothing more once it is right, repairs what is taken away, and leaves nothing behind', async () => {
    await likeDocker(host, 'nft', backend);
    const before = await everything(host, 'nft');
    // All entries that a label may have.
    const many = Array.from({ length: 1000 }, (_, i) => `203.0.${i >> 8}.${i & 255}`);
    const access = [
      web({ allow: [...many, '2001:db8:1::/48'], deny: ['192.0.2.0/24'] }),
      web({ container: 'a name -j ACCEPT; that nobody; can give', deny: ['2001:db8:2::/48', '0.0.0.0/1'] }),
      web({ container: 'later', closes: [published(7070)], allow: many.slice(0, 3), awaited: true }),
    ];
    const isWrite = (command: string): boolean => /restore|-f -|-i$/.test(command);
    expect(await firewall.reconcile([], access)).toEqual(nothing);
    if (backend === 'docker-user') {
      for (const family of [4, 6] as const) {
        const rules = accessChainRules(family, accessRules(access, neverBan), () => true);
        const saved = await host.sh(`ip${family === 6 ? '6' : ''}tables-nft-save`, '-t', 'filter');
        expect(parseTable(saved).get('DOCK2BAN')).toEqual([...rules, ...chainRules(family, [])]);
      }
    }
    commands.length = 0;
    expect(await firewall.reconcile([], access)).toEqual(nothing);
    expect(commands.filter(isWrite)).toEqual([]);

    if (backend === 'nftables') await host.sh('nft', 'flush', 'chain', 'inet', 'dock2ban', 'access');
    else {
      await host.sh('iptables-nft', '-F', 'DOCK2BAN');
      await host.sh('ipset', 'flush', /dock2ban-a4-\S+/.exec(await host.sh('ipset', 'list', '-n'))![0]);
    }
    const { repairs, shortfalls } = await firewall.reconcile([], access);
    expect(shortfalls).toEqual([]);
    expect(repairs.map(({ what }) => what)).toEqual(
      backend === 'nftables' ? ['chain'] : ['members', 'chain'],
    );
    expect(await firewall.reconcile([], access)).toEqual(nothing);

    expect(await firewall.reconcile([], [])).toEqual(nothing);
    expect(await firewall.reconcile([], [])).toEqual(nothing);
    expect(await host.sh('ipset', 'list', '-n')).not.toMatch(/-a[46]-/);
    expect(await host.sh('nft', 'list', 'ruleset')).not.toMatch(/access/);
    await firewall.reconcile([], access);
    await firewall.flush();
    expect(await everything(host, 'nft')).toBe(before);
    expect(await host.sh('nft', 'list', 'ruleset')).not.toMatch(/dock2ban/i);
  });
});

async function link(a: Netns, deviceOfA: string, b: Netns, deviceOfB: string): Promise<void> {
  const peer = ['peer', 'name', deviceOfB, 'netns', String(b.pid)];
  await a.sh('ip', 'link', 'add', deviceOfA, 'type', 'veth', ...peer);
  await a.sh('ip', 'link', 'set', deviceOfA, 'up');
  await b.sh('ip', 'link', 'set', deviceOfB, 'up');
}

/** What Docker does for `-p outer:inner`. */
async function publish(
  host: Netns,
  variant: string,
  family: 4 | 6,
  outer: number,
  inner: number,
  protocol = 'tcp',
): Promise<void> {
  const { container } = addresses[family];
  const program = `ip${family === 6 ? '6' : ''}tables-${variant}`;
  const target = family === 6 ? `[${container}]:${inner}` : `${container}:${inner}`;
  const match = ['-i', 'wan', '-p', protocol, '--dport', String(outer)];
  await host.sh(program, '-t', 'nat', '-A', 'PREROUTING', ...match, '-j', 'DNAT', '--to-destination', target);
}
