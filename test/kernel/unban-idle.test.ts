import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backends, banFor, likeDocker, openFirewall, whyNotHere } from './firewall-fixture.ts';
import { Netns } from './netns.ts';

const jail = (name: string) => ({ name, closes: 'all' as const, blocktype: 'drop' as const });

let netns: Netns;

describe.skipIf(whyNotHere()).each(backends)('%s: a jail that does not run', (backend) => {
  beforeEach(async () => {
    netns = await Netns.open();
    await likeDocker(netns, 'nft', backend);
  });
  afterEach(() => netns.close());

  it('lets those go who are unbanned, and nobody else', async () => {
    const before = (await openFirewall(netns, backend)).firewall;
    await before.takeOver(['web']);
    await before.reconcile([jail('web')]);
    const ips = ['203.0.113.1', '203.0.113.2', '2001:db8::/64'];
    await before.ban(ips.map((ip) => banFor(ip, 600, 'web')));
    await before.close();

    const { firewall } = await openFirewall(netns, backend);
    await firewall.takeOver(['app']);
    await firewall.reconcile([jail('app')]);
    await firewall.ban([banFor('203.0.113.2', 600, 'app')]);
    const gone = [
      { jail: 'web', ip: '203.0.113.1' },
      { jail: 'web', ip: '2001:db8::/64' },
      // The kernel has never heard of this one.
      { jail: 'never', ip: '203.0.113.2' },
      { jail: 'never', ip: '2001:db8::7' },
    ];
    await firewall.takeOver(['web', 'never']);
    await firewall.unban(gone);
    expect((await firewall.reconcile([jail('app')])).shortfalls).toEqual([]);
    const held = await firewall.takeOver(['web', 'app', 'never']);
    const names = (name: string) => held.get(name)?.map(({ ip }) => ip);
    expect([names('web'), names('app'), names('never')]).toEqual([['203.0.113.2'], ['203.0.113.2'], []]);
    await firewall.close();
  });
});
