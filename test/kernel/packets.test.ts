import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Firewall, GuardedJail } from '../../src/firewall/firewall.ts';
import { backends, banFor, likeDocker, openFirewall, published, whyNotHere } from './firewall-fixture.ts';
import { Netns } from './netns.ts';
import { Party } from './party.ts';

const addresses = {
  4: {
    bits: 24,
    offender: '198.51.100.66',
    honest: '198.51.100.10',
    host: '198.51.100.1',
    container: '172.30.0.2',
    bridge: '172.30.0.1',
  },
  6: {
    bits: 64,
    offender: '2001:db8::66',
    honest: '2001:db8::10',
    host: '2001:db8::1',
    container: 'fd00:30::2',
    bridge: 'fd00:30::1',
  },
} as const;

describe.skipIf(whyNotHere()).each(backends)('packets, %s', (backend) => {
  // That of the DNAT, and of Docker's filter table where the backend needs that.
  const variants = backend === 'nftables' ? (['nft'] as const) : (['nft', 'legacy'] as const);
  let outside: Netns;
  let host: Netns;
  let container: Netns;
  let parties: Party[];
  let firewall: Firewall;
  let close: () => Promise<void>;

  beforeEach(async () => {
    [outside, host, container] = await Promise.all([Netns.open(), Netns.open(), Netns.open()]);
    parties = [];
    close = async () => undefined;
    await link(host, 'wan', outside, 'eth0');
    await link(host, 'lan', container, 'eth0');
    await host.sh('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    for (const family of [4, 6] as const) {
      const { bits, offender, honest, host: own, bridge, container: inside } = addresses[family];
      const add = (netns: Netns, ip: string, device: string): Promise<string> =>
        netns.sh('ip', 'address', 'add', `${ip}/${bits}`, 'dev', device, ...(family === 6 ? ['nodad'] : []));
      await add(outside, offender, 'eth0');
      await add(outside, honest, 'eth0');
      await add(host, own, 'wan');
      await add(host, bridge, 'lan');
      await add(container, inside, 'eth0');
      await container.sh('ip', `-${family}`, 'route', 'add', 'default', 'via', bridge);
    }
  });

  afterEach(async () => {
    await close();
    await Promise.all(parties.map((party) => party.close()));
    for (const netns of [outside, host, container]) netns.close();
  });

  async function serve(netns: Netns, port: number, address: string): Promise<void> {
    parties.push(await Party.echo(netns, port, address));
  }

  async function connect(from: string, to: string, port: number, netns = outside): Promise<Party> {
    const party = Party.client(netns, to, port, from);
    parties.push(party);
    expect(await party.next(3000)).toBe('ready');
    return party;
  }

  async function isRefused(from: string, to: string, port: number): Promise<boolean> {
    const party = Party.client(outside, to, port, from);
    parties.push(party);
    return (await party.next(1000)) !== 'ready';
  }

  async function guard(jails: readonly GuardedJail[]): Promise<void> {
    ({ firewall } = await openFirewall(host, backend));
    close = () => firewall.close();
    expect(await firewall.reconcile(jails)).toEqual({ repairs: [], shortfalls: [], refused: [] });
  }

  describe.each(variants)('%s', (variant) => {
    it.each([4, 6] as const)(
      'cuts an offender off from a published port at once, and nobody else (IPv%i)',
      async (family) => {
        const { offender, honest, host: to, container: inside } = addresses[family];
        await likeDocker(host, variant, backend);
        await publish(host, variant, family, 8080, 80);
        await publish(host, variant, family, 9090, 90);
        await serve(container, 80, inside);
        await serve(container, 90, inside);
        await guard([{ name: 'web', closes: [published(8080)], blocktype: 'drop' }]);
        const open = await connect(offender, to, 8080);
        const served = await connect(honest, to, 8080);
        expect(await open.isAnswered('before')).toBe(true);

        await firewall.ban([banFor(offender, 600, 'web')]);

        expect(await open.isAnswered('after')).toBe(false);
        expect(await isRefused(offender, to, 8080)).toBe(true);
        expect(await served.isAnswered('still here')).toBe(true);
        await connect(honest, to, 8080);
        // A published port of another service.
        await connect(offender, to, 9090);

        await firewall.unban([{ jail: 'web', ip: offender }]);
        const again = await connect(offender, to, 8080);
        expect(await again.isAnswered('back')).toBe(true);
      },
    );
  });

  it('closes UDP, a range, and the port of one host address only', async () => {
    const { offender, honest, host: to, container: inside } = addresses[4];
    await likeDocker(host, 'nft', backend);
    await host.sh('ip', 'address', 'add', '198.51.100.2/24', 'dev', 'wan');
    await publish(host, 'nft', 4, 8085, 80, 'udp');
    await publish(host, 'nft', 4, 7000, 80);
    await serve(container, 80, inside);
    await guard([
      {
        name: 'dns',
        blocktype: 'drop',
        closes: [
          published(8080, 8090, { protocol: 'udp' }),
          published(7000, 7000, { hostAddress: '198.51.100.2' }),
        ],
      },
    ]);
    const [bad, good] = [offender, honest].map((from) => Party.datagrams(outside, to, 8085, from));
    parties.push(bad!, good!);
    for (const party of [bad!, good!]) expect(await party.next(3000)).toBe('ready');
    expect(await bad!.isAnswered('before')).toBe(true);
    await firewall.ban([banFor(offender, 600, 'dns')]);
    expect(await bad!.isAnswered('after')).toBe(false);
    expect(await good!.isAnswered('hello')).toBe(true);
    expect(await isRefused(offender, '198.51.100.2', 7000)).toBe(true);
    await connect(offender, '198.51.100.1', 7000);
  });

  it.each([
    [4, '198.51.100.64/26'],
    [6, '2001:db8::40/122'],
  ] as const)('cuts off a prefix, and nobody outside of it (IPv%i, %s)', async (family, prefix) => {
    const { offender, honest, host: to, container: inside } = addresses[family];
    await likeDocker(host, 'nft', backend);
    await publish(host, 'nft', family, 8080, 80);
    await serve(container, 80, inside);
    await guard([{ name: 'web', closes: [published(8080)], blocktype: 'drop' }]);
    const open = await connect(offender, to, 8080);
    expect(await open.isAnswered('before')).toBe(true);
    await firewall.ban([banFor(prefix, 600, 'web')]);
    expect(await open.isAnswered('after')).toBe(false);
    expect(await isRefused(offender, to, 8080)).toBe(true);
    await connect(honest, to, 8080);
    await firewall.unban([{ jail: 'web', ip: prefix }]);
    await connect(offender, to, 8080);
  });

  it.each([4, 6] as const)(
    'refuses an offender at once where the verdict is reject (IPv%i)',
    async (family) => {
      const { offender, honest, host: to, container: inside } = addresses[family];
      await likeDocker(host, 'nft', backend);
      await publish(host, 'nft', family, 8080, 80);
      await serve(container, 80, inside);
      await guard([{ name: 'web', closes: [published(8080)], blocktype: 'reject' }]);
      const open = await connect(offender, to, 8080);
      await firewall.ban([banFor(offender, 600, 'web')]);
      open.say('after');
      expect(await open.next(3000)).toBe('ECONNRESET');
      const again = Party.client(outside, to, 8080, offender);
      parties.push(again);
      expect(await again.next(3000)).toBe('ECONNREFUSED');
      await connect(honest, to, 8080);
    },
  );

  it.each(variants.flatMap((variant) => [[variant, 4] as const, [variant, 6] as const]))(
    'rejects whatever an offender sends where everything is closed (%s, IPv%i)',
    async (variant, family) => {
      const { offender, honest, host: to } = addresses[family];
      await likeDocker(host, variant, backend);
      await serve(host, 22, to);
      await guard([{ name: 'sshd', closes: 'all', blocktype: 'reject' }]);
      const bad = Party.connectedDatagrams(outside, to, 22, offender);
      parties.push(bad);
      expect(await bad.next(3000)).toBe('ready');
      expect(await bad.isAnswered('before', 3000)).toBe(true);
      await firewall.ban([banFor(offender, 600, 'sshd')]);
      bad.say('after');
      expect(await bad.next(3000)).toBe('ECONNREFUSED');
      const again = Party.client(outside, to, 22, offender);
      parties.push(again);
      expect(await again.next(3000)).toBe('ECONNREFUSED');
      await connect(honest, to, 22);
    },
  );

  it('closes a port that several jails guard, whichever of them bans and however it blocks', async () => {
    const { offender, honest, host: to, container: inside } = addresses[4];
    await likeDocker(host, 'nft', backend);
    await publish(host, 'nft', 4, 8080, 80);
    await serve(container, 80, inside);
    await guard([
      { name: 'a', closes: [published(8080)], blocktype: 'drop' },
      { name: 'b', closes: 'all', blocktype: 'reject' },
    ]);
    for (const jails of [['a'], ['b'], ['a', 'b']]) {
      await firewall.ban(jails.map((jail) => banFor(offender, 600, jail)));
      expect(await isRefused(offender, to, 8080), jails.join()).toBe(true);
      await connect(honest, to, 8080);
      await firewall.unban(jails.map((jail) => ({ jail, ip: offender })));
      await connect(offender, to, 8080);
    }
  });

  it('closes ports of the host itself, as with network_mode: host and docker-proxy', async () => {
    const { offender, honest, host: to } = addresses[6];
    await likeDocker(host, 'nft', backend);
    await serve(host, 8080, to);
    await guard([
      { name: 'web', closes: [published(8080, 8080, { hostAddress: '0.0.0.0' })], blocktype: 'drop' },
    ]);
    const open = await connect(offender, to, 8080);
    await firewall.ban([banFor(offender, 600, 'web')]);
    expect(await open.isAnswered('after')).toBe(false);
    expect(await isRefused(offender, to, 8080)).toBe(true);
    await connect(honest, to, 8080);
  });

  it('closes everything to an offender, but not what the host and its containers open to it', async () => {
    const { offender, host: to, container: inside } = addresses[4];
    await likeDocker(host, 'nft', backend);
    await publish(host, 'nft', 4, 8080, 80);
    await outside.sh('ip', 'route', 'add', '172.30.0.0/24', 'via', to);
    await serve(container, 80, inside);
    await serve(host, 22, to);
    await serve(outside, 443, offender);
    await guard([{ name: 'sshd', closes: 'all', blocktype: 'drop' }]);
    const open = await connect(offender, to, 22);
    await firewall.ban([banFor(offender, 600, 'sshd')]);
    expect(await open.isAnswered('after')).toBe(false);
    for (const port of [22, 8080]) expect(await isRefused(offender, to, port)).toBe(true);
    for (const [netns, from] of [
      [host, to],
      [container, inside],
    ] as const) {
      const outgoing = await connect(from, offender, 443, netns);
      expect(await outgoing.isAnswered('answer me')).toBe(true);
    }
  });

  it('enforces what was taken away, after one reconcile, without cutting a connection of somebody else', async () => {
    const { offender, honest, host: to, container: inside } = addresses[4];
    const jails: GuardedJail[] = [{ name: 'web', closes: [published(8080)], blocktype: 'drop' }];
    await likeDocker(host, 'nft', backend);
    await publish(host, 'nft', 4, 8080, 80);
    await serve(container, 80, inside);
    await guard(jails);
    const served = await connect(honest, to, 8080);
    await firewall.ban([banFor(offender, 600, 'web')]);
    if (backend === 'nftables') await host.sh('nft', 'flush', 'chain', 'inet', 'dock2ban', 'forward');
    else await host.sh('iptables-nft', '-F', 'DOCKER-USER');
    await connect(offender, to, 8080);
    const what = backend === 'nftables' ? 'chain' : 'jump';
    expect((await firewall.reconcile(jails)).repairs).toMatchObject([{ what }]);
    expect(await isRefused(offender, to, 8080)).toBe(true);
    expect(await served.isAnswered('still here')).toBe(true);
  });

  it.each(variants)(
    'leaves no gap for an offender, and none for others, while rules are rewritten (%s)',
    async (variant) => {
      const { offender, honest, host: to, container: inside } = addresses[4];
      const jails = (last: number): GuardedJail[] => [
        { name: 'web', closes: [published(8080, last, { protocol: 'udp' })], blocktype: 'drop' },
      ];
      await likeDocker(host, variant, backend);
      await publish(host, variant, 4, 8080, 80, 'udp');
      await serve(container, 80, inside);
      await guard(jails(8080));
      const [bad, good] = [offender, honest].map((from) => Party.datagrams(outside, to, 8080, from)) as [
        Party,
        Party,
      ];
      parties.push(bad, good);
      for (const party of [bad, good]) expect(await party.next(3000)).toBe('ready');
      await firewall.ban([banFor(offender, 600, 'web')]);
      const rewriting = new AbortController();
      const rewrite = async (): Promise<void> => {
        for (let i = 1; i <= 30; i += 1) {
          expect(await firewall.reconcile(jails(8080 + i))).toEqual({
            repairs: [],
            shortfalls: [],
            refused: [],
          });
        }
        rewriting.abort();
      };
      let answered = 0;
      const talk = async (): Promise<void> => {
        while (!rewriting.signal.aborted) {
          bad.say('let me in');
          expect(await good.isAnswered(`packet ${answered}`)).toBe(true);
          answered += 1;
        }
      };
      await Promise.all([rewrite(), talk()]);
      expect(answered).toBeGreaterThan(100);
      expect(await bad.next(200)).toBeUndefined();
    },
  );
});

async function link(a: Netns, deviceOfA: string, b: Netns, deviceOfB: string): Promise<void> {
  await a.sh(
    'ip',
    'link',
    'add',
    deviceOfA,
    'type',
    'veth',
    'peer',
    'name',
    deviceOfB,
    'netns',
    String(b.pid),
  );
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
