import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backends, banFor, likeDocker, published, whyNotHere } from './firewall-fixture.ts';
import { addresses, PacketSite } from './packet-site.ts';
import { Party } from './party.ts';

describe.skipIf(whyNotHere()).each(backends)('packets, %s', (backend) => {
  // That of the DNAT, and of Docker's filter table where the backend needs that.
  const variants = backend === 'nftables' ? (['nft'] as const) : (['nft', 'legacy'] as const);
  let site: PacketSite;

  beforeEach(async () => {
    site = await PacketSite.open(backend);
  });
  afterEach(() => site.close());

  describe.each(variants)('%s', (variant) => {
    it.each([4, 6] as const)(
      'cuts an offender off from a published port at once, and nobody else (IPv%i)',
      async (family) => {
        const { offender, honest, host: to, container: inside } = addresses[family];
        await likeDocker(site.host, variant, backend);
        await site.publish(variant, family, 8080, 80);
        await site.publish(variant, family, 9090, 90);
        await site.serve(site.container, 80, inside);
        await site.serve(site.container, 90, inside);
        await site.guard([{ name: 'web', closes: [published(8080)], blocktype: 'drop' }]);
        const open = await site.connect(offender, to, 8080);
        const served = await site.connect(honest, to, 8080);
        expect(await open.isAnswered('before')).toBe(true);

        await site.firewall.ban([banFor(offender, 600, 'web')]);

        expect(await open.isAnswered('after')).toBe(false);
        expect(await site.isRefused(offender, to, 8080)).toBe(true);
        expect(await served.isAnswered('still here')).toBe(true);
        await site.connect(honest, to, 8080);
        // A published port of another service.
        await site.connect(offender, to, 9090);

        await site.firewall.unban([{ jail: 'web', ip: offender }]);
        const again = await site.connect(offender, to, 8080);
        expect(await again.isAnswered('back')).toBe(true);
      },
    );
  });

  it('closes UDP, a range, and the port of one host address only', async () => {
    const { offender, honest, host: to, container: inside } = addresses[4];
    await likeDocker(site.host, 'nft', backend);
    await site.host.sh('ip', 'address', 'add', '198.51.100.2/24', 'dev', 'wan');
    await site.publish('nft', 4, 8085, 80, 'udp');
    await site.publish('nft', 4, 7000, 80);
    await site.serve(site.container, 80, inside);
    await site.guard([
      {
        name: 'dns',
        blocktype: 'drop',
        closes: [
          published(8080, 8090, { protocol: 'udp' }),
          published(7000, 7000, { hostAddress: '198.51.100.2' }),
        ],
      },
    ]);
    const [bad, good] = [offender, honest].map((from) =>
      site.with(Party.datagrams(site.outside, to, 8085, from)),
    );
    for (const party of [bad!, good!]) expect(await party.next(3000)).toBe('ready');
    expect(await bad!.isAnswered('before')).toBe(true);
    await site.firewall.ban([banFor(offender, 600, 'dns')]);
    expect(await bad!.isAnswered('after')).toBe(false);
    expect(await good!.isAnswered('hello')).toBe(true);
    expect(await site.isRefused(offender, '198.51.100.2', 7000)).toBe(true);
    await site.connect(offender, '198.51.100.1', 7000);
  });

  it.each([
    [4, '198.51.100.64/26'],
    [6, '2001:db8::40/122'],
  ] as const)('cuts off a prefix, and nobody outside of it (IPv%i, %s)', async (family, prefix) => {
    const { offender, honest, host: to, container: inside } = addresses[family];
    await likeDocker(site.host, 'nft', backend);
    await site.publish('nft', family, 8080, 80);
    await site.serve(site.container, 80, inside);
    await site.guard([{ name: 'web', closes: [published(8080)], blocktype: 'drop' }]);
    const open = await site.connect(offender, to, 8080);
    expect(await open.isAnswered('before')).toBe(true);
    await site.firewall.ban([banFor(prefix, 600, 'web')]);
    expect(await open.isAnswered('after')).toBe(false);
    expect(await site.isRefused(offender, to, 8080)).toBe(true);
    await site.connect(honest, to, 8080);
    await site.firewall.unban([{ jail: 'web', ip: prefix }]);
    await site.connect(offender, to, 8080);
  });

  it('closes ports of the host itself, as with network_mode: host and docker-proxy', async () => {
    const { offender, honest, host: to } = addresses[6];
    await likeDocker(site.host, 'nft', backend);
    await site.serve(site.host, 8080, to);
    await site.guard([
      { name: 'web', closes: [published(8080, 8080, { hostAddress: '0.0.0.0' })], blocktype: 'drop' },
    ]);
    const open = await site.connect(offender, to, 8080);
    await site.firewall.ban([banFor(offender, 600, 'web')]);
    expect(await open.isAnswered('after')).toBe(false);
    expect(await site.isRefused(offender, to, 8080)).toBe(true);
    await site.connect(honest, to, 8080);
  });

  it('closes everything to an offender, but not what the host and its containers open to it', async () => {
    const { offender, host: to, container: inside } = addresses[4];
    await likeDocker(site.host, 'nft', backend);
    await site.publish('nft', 4, 8080, 80);
    await site.outside.sh('ip', 'route', 'add', '172.30.0.0/24', 'via', to);
    await site.serve(site.container, 80, inside);
    await site.serve(site.host, 22, to);
    await site.serve(site.outside, 443, offender);
    await site.guard([{ name: 'sshd', closes: 'all', blocktype: 'drop' }]);
    const open = await site.connect(offender, to, 22);
    await site.firewall.ban([banFor(offender, 600, 'sshd')]);
    expect(await open.isAnswered('after')).toBe(false);
    for (const port of [22, 8080]) expect(await site.isRefused(offender, to, port)).toBe(true);
    for (const [netns, from] of [
      [site.host, to],
      [site.container, inside],
    ] as const) {
      const outgoing = await site.connect(from, offender, 443, netns);
      expect(await outgoing.isAnswered('answer me')).toBe(true);
    }
  });
});
