import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GuardedJail } from '../../src/firewall/firewall.ts';
import { backends, banFor, likeDocker, published, whyNotHere } from './firewall-fixture.ts';
import { addresses, PacketSite } from './packet-site.ts';
import { Party } from './party.ts';

describe.skipIf(whyNotHere()).each(backends)(
  'packets while rules are repaired or rewritten, %s',
  (backend) => {
    // That of the DNAT, and of Docker's filter table where the backend needs that.
    const variants = backend === 'nftables' ? (['nft'] as const) : (['nft', 'legacy'] as const);
    let site: PacketSite;

    beforeEach(async () => {
      site = await PacketSite.open(backend);
    });
    afterEach(() => site.close());

    it('enforces what was taken away, after one reconcile, without cutting a connection of somebody else', async () => {
      const { offender, honest, host: to, container: inside } = addresses[4];
      const jails: GuardedJail[] = [{ name: 'web', closes: [published(8080)], blocktype: 'drop' }];
      await likeDocker(site.host, 'nft', backend);
      await site.publish('nft', 4, 8080, 80);
      await site.serve(site.container, 80, inside);
      await site.guard(jails);
      const served = await site.connect(honest, to, 8080);
      await site.firewall.ban([banFor(offender, 600, 'web')]);
      if (backend === 'nftables') await site.host.sh('nft', 'flush', 'chain', 'inet', 'dock2ban', 'forward');
      else await site.host.sh('iptables-nft', '-F', 'DOCKER-USER');
      await site.connect(offender, to, 8080);
      const what = backend === 'nftables' ? 'chain' : 'jump';
      expect((await site.firewall.reconcile(jails)).repairs).toMatchObject([{ what }]);
      expect(await site.isRefused(offender, to, 8080)).toBe(true);
      expect(await served.isAnswered('still here')).toBe(true);
    });

    it.each(variants)(
      'leaves no gap for an offender, and none for others, while rules are rewritten (%s)',
      async (variant) => {
        const { offender, honest, host: to, container: inside } = addresses[4];
        const jails = (last: number): GuardedJail[] => [
          { name: 'web', closes: [published(8080, last, { protocol: 'udp' })], blocktype: 'drop' },
        ];
        await likeDocker(site.host, variant, backend);
        await site.publish(variant, 4, 8080, 80, 'udp');
        await site.serve(site.container, 80, inside);
        await site.guard(jails(8080));
        const [bad, good] = [offender, honest].map((from) =>
          site.with(Party.datagrams(site.outside, to, 8080, from)),
        ) as [Party, Party];
        for (const party of [bad, good]) expect(await party.next(3000)).toBe('ready');
        await site.firewall.ban([banFor(offender, 600, 'web')]);
        const rewriting = new AbortController();
        const rewrite = async (): Promise<void> => {
          for (let i = 1; i <= 30; i += 1) {
            expect(await site.firewall.reconcile(jails(8080 + i))).toEqual({
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
  },
);
