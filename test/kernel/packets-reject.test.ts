import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backends, banFor, likeDocker, published, whyNotHere } from './firewall-fixture.ts';
import { addresses, PacketSite } from './packet-site.ts';
import { Party } from './party.ts';

describe.skipIf(whyNotHere()).each(backends)('packets that are rejected, %s', (backend) => {
  // That of the DNAT, and of Docker's filter table where the backend needs that.
  const variants = backend === 'nftables' ? (['nft'] as const) : (['nft', 'legacy'] as const);
  let site: PacketSite;

  beforeEach(async () => {
    site = await PacketSite.open(backend);
  });
  afterEach(() => site.close());

  it.each([4, 6] as const)(
    'refuses an offender at once where the verdict is reject (IPv%i)',
    async (family) => {
      const { offender, honest, host: to, container: inside } = addresses[family];
      await likeDocker(site.host, 'nft', backend);
      await site.publish('nft', family, 8080, 80);
      await site.serve(site.container, 80, inside);
      await site.guard([{ name: 'web', closes: [published(8080)], blocktype: 'reject' }]);
      const open = await site.connect(offender, to, 8080);
      await site.firewall.ban([banFor(offender, 600, 'web')]);
      open.say('after');
      expect(await open.next(3000)).toBe('ECONNRESET');
      const again = site.with(Party.client(site.outside, to, 8080, offender));
      expect(await again.next(3000)).toBe('ECONNREFUSED');
      await site.connect(honest, to, 8080);
    },
  );

  it.each(variants.flatMap((variant) => [[variant, 4] as const, [variant, 6] as const]))(
    'rejects whatever an offender sends where everything is closed (%s, IPv%i)',
    async (variant, family) => {
      const { offender, honest, host: to } = addresses[family];
      await likeDocker(site.host, variant, backend);
      await site.serve(site.host, 22, to);
      await site.guard([{ name: 'sshd', closes: 'all', blocktype: 'reject' }]);
      const bad = site.with(Party.connectedDatagrams(site.outside, to, 22, offender));
      expect(await bad.next(3000)).toBe('ready');
      expect(await bad.isAnswered('before', 3000)).toBe(true);
      await site.firewall.ban([banFor(offender, 600, 'sshd')]);
      bad.say('after');
      expect(await bad.next(3000)).toBe('ECONNREFUSED');
      const again = site.with(Party.client(site.outside, to, 22, offender));
      expect(await again.next(3000)).toBe('ECONNREFUSED');
      await site.connect(honest, to, 22);
    },
  );

  it('closes a port that several jails guard, whichever of them bans and however it blocks', async () => {
    const { offender, honest, host: to, container: inside } = addresses[4];
    await likeDocker(site.host, 'nft', backend);
    await site.publish('nft', 4, 8080, 80);
    await site.serve(site.container, 80, inside);
    await site.guard([
      { name: 'a', closes: [published(8080)], blocktype: 'drop' },
      { name: 'b', closes: 'all', blocktype: 'reject' },
    ]);
    for (const jails of [['a'], ['b'], ['a', 'b']]) {
      await site.firewall.ban(jails.map((jail) => banFor(offender, 600, jail)));
      expect(await site.isRefused(offender, to, 8080), jails.join()).toBe(true);
      await site.connect(honest, to, 8080);
      await site.firewall.unban(jails.map((jail) => ({ jail, ip: offender })));
      await site.connect(offender, to, 8080);
    }
  });
});
