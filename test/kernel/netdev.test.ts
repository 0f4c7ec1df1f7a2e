import { describe, expect, it } from 'vitest';
import { backends, banFor, published, whyNotHere } from './firewall-fixture.ts';
import {
  addresses,
  directTo,
  eachOnItsOwn,
  hasIpvlan,
  jailWith,
  kinds,
  type LocalNetwork,
} from './local-network.ts';
import { Party } from './party.ts';

describe.skipIf(whyNotHere())('containers that stand in the local network by themselves', () => {
  let lan: LocalNetwork;
  eachOnItsOwn((network) => (lan = network));

  const cells = backends.flatMap((backend) =>
    kinds.flatMap(([name, kind]) => ([4, 6] as const).map((family) => ({ backend, name, kind, family }))),
  );

  it.for(cells)(
    'are closed to an offender, open connections too, and to nobody else ($backend, $name, IPv$family)',
    async ({ backend, kind, family }) => {
      const { offender, honest, container: to } = addresses[family];
      await lan.join('lan0', ...kind);
      await lan.strangers('port');
      await lan.serve(80);
      await lan.guard(backend, jailWith([directTo('lan0')]));
      const cut = await lan.connect(offender, to, 80);
      const served = await lan.connect(honest, to, 80);
      expect(await cut.isAnswered('before')).toBe(true);

      expect(await lan.firewall.ban([banFor(offender, 600, 'tv')])).toEqual([]);

      expect(await cut.isAnswered('after')).toBe(false);
      expect(await lan.isRefused(offender, to, 80)).toBe(true);
      expect(await served.isAnswered('still here')).toBe(true);
      await lan.connect(honest, to, 80);
      await lan.firewall.unban([{ jail: 'tv', ip: offender }]);
      await lan.connect(offender, to, 80);
    },
  );

  it.for(hasIpvlan ? ['ipvlan (L3)'] : [])('are closed on %s, which the host routes', async () => {
    const { offender, honest, gateway } = addresses[4];
    await lan.host.sh('ip', 'address', 'add', `${gateway}/24`, 'dev', 'lan0');
    await lan.link('lan0', 'ipvlan', 'mode', 'l3');
    await lan.container.sh('ip', 'address', 'add', '192.0.2.200/24', 'dev', 'child');
    await lan.container.sh('ip', 'route', 'add', 'default', 'dev', 'child');
    await lan.strangers('port');
    await lan.outside.sh('ip', 'route', 'add', '192.0.2.0/24', 'via', gateway);
    await lan.serve(80, '192.0.2.200');
    await lan.guard('docker-user', jailWith([directTo('lan0', { addresses: ['192.0.2.200'] })]));
    await lan.connect(offender, '192.0.2.200', 80);
    await lan.firewall.ban([banFor(offender, 600, 'tv')]);
    expect(await lan.isRefused(offender, '192.0.2.200', 80)).toBe(true);
    await lan.connect(honest, '192.0.2.200', 80);
  });

  it('are closed behind a VLAN of the host (or what is named so, in a kernel without VLANs), by prefix', async () => {
    if (!(await lan.vlan())) await lan.plug('lan0.50', 'port.50');
    await lan.join('lan0.50', 'macvlan', 'mode', 'bridge');
    await lan.strangers('port.50');
    await lan.serve(80);
    await lan.guard('nftables', jailWith([directTo('lan0.50')]));
    for (const family of [4, 6] as const)
      await lan.connect(addresses[family].offender, addresses[family].container, 80);
    await lan.firewall.ban([banFor('198.51.100.64/26', 600, 'tv'), banFor('2001:db8::40/122', 600, 'tv')]);
    for (const family of [4, 6] as const) {
      const { offender, honest, container: to } = addresses[family];
      expect(await lan.isRefused(offender, to, 80)).toBe(true);
      await lan.connect(honest, to, 80);
    }
  });

  it('are closed behind a bridge of the host', async () => {
    const { offender, honest, container: to } = addresses[4];
    await lan.host.sh('ip', 'link', 'add', 'br0', 'type', 'bridge');
    await lan.host.sh('ip', 'link', 'set', 'lan0', 'master', 'br0');
    await lan.host.sh('ip', 'link', 'set', 'br0', 'up');
    await lan.join('br0', 'macvlan', 'mode', 'bridge');
    await lan.strangers('port');
    await lan.serve(80);
    await lan.guard('docker-user', jailWith([directTo('br0')]));
    await lan.connect(offender, to, 80);
    await lan.firewall.ban([banFor(offender, 600, 'tv')]);
    expect(await lan.isRefused(offender, to, 80)).toBe(true);
    await lan.connect(honest, to, 80);
  });

  it('are closed at certain ports only, if the label names them', async () => {
    const { offender, container: to } = addresses[4];
    await lan.join('lan0', 'macvlan', 'mode', 'bridge');
    await lan.strangers('port');
    for (const port of [80, 90, 8005]) await lan.serve(port);
    const closes = [published(80), published(8000, 8010), published(53, 53, { protocol: 'udp' })];
    await lan.guard('docker-user', jailWith([directTo('lan0', { closes })]));
    await lan.firewall.ban([banFor(offender, 600, 'tv')]);
    for (const port of [80, 8005]) expect(await lan.isRefused(offender, to, port)).toBe(true);
    await lan.connect(offender, to, 90);
  });

  it('refuse an offender at once, where the verdict is reject', async () => {
    for (const closes of ['all', [published(80)]] as const) {
      const { offender, honest, container: to } = addresses[4];
      if (closes === 'all') {
        await lan.join('lan0', 'macvlan', 'mode', 'bridge');
        await lan.strangers('port');
        await lan.serve(80);
      }
      await lan.guard('docker-user', jailWith([directTo('lan0', { closes })], { blocktype: 'reject' }));
      await lan.firewall.ban([banFor(offender, 600, 'tv')]);
      const again = lan.with(Party.client(lan.outside, to, 80, offender));
      expect(await again.next(3000)).toBe('ECONNREFUSED');
      await lan.connect(honest, to, 80);
      await lan.firewall.flush();
      await lan.firewall.close();
    }
  });

  it('are let in again by the kernel when the ban ends', async () => {
    const { offender, container: to } = addresses[4];
    await lan.join('lan0', 'macvlan', 'mode', 'bridge');
    await lan.strangers('port');
    await lan.serve(80);
    await lan.guard('docker-user', jailWith([directTo('lan0')]));
    await lan.firewall.ban([banFor(offender, 2, 'tv')]);
    expect(await lan.isRefused(offender, to, 80)).toBe(true);
    await expect.poll(() => lan.isRefused(offender, to, 80), { timeout: 10_000, interval: 300 }).toBe(false);
  });
});
