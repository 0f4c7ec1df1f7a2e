import { describe, expect, it } from 'vitest';
import type { AccessSpec } from '../../src/config/labels/access-spec.ts';
import { backends, banFor, likeDocker, published, whyNotHere, type Backend } from './firewall-fixture.ts';
import {
  addresses,
  directTo,
  eachOnItsOwn,
  jailWith,
  kinds,
  type LocalNetwork,
  nothing,
} from './local-network.ts';
import { Party } from './party.ts';

const { offender: stranger, honest: friend, container: to } = addresses[4];

const tv = (more: Partial<AccessSpec>): AccessSpec => ({
  container: 'tv',
  closes: [],
  direct: [directTo('lan0')],
  allow: undefined,
  deny: [],
  ...more,
});

describe.skipIf(whyNotHere())('who gets to a container that stands in the local network by itself', () => {
  let lan: LocalNetwork;
  eachOnItsOwn((network) => (lan = network));

  async function close(backend: Backend, ...accesses: AccessSpec[]): Promise<void> {
    await likeDocker(lan.host, 'nft', backend);
    const firewall = await lan.open(backend);
    expect(await firewall.reconcile([], accesses)).toEqual(nothing);
    expect(await firewall.reconcile([], accesses)).toEqual(nothing);
  }

  async function stand(...kind: readonly string[]): Promise<void> {
    await lan.join('lan0', ...kind);
    await lan.strangers('port');
  }

  const cells = backends.flatMap((backend) =>
    kinds.flatMap(([name, kind]) => ([4, 6] as const).map((family) => ({ backend, name, kind, family }))),
  );

  it.for(cells)(
    'are those whom the label names, until it is gone ($backend, $name, IPv$family)',
    async ({ backend, kind, family }) => {
      const at = addresses[family];
      await stand(...kind);
      await lan.serve(80);
      await close(backend, tv({ allow: [at.honest] }));
      expect(await lan.isRefused(at.offender, at.container, 80)).toBe(true);
      const served = await lan.connect(at.honest, at.container, 80);
      expect(await served.isAnswered('hello')).toBe(true);

      expect(await lan.firewall.reconcile([], [tv({ deny: [at.honest] })])).toEqual(nothing);
      expect(await served.isAnswered('and now?')).toBe(false);
      expect(await lan.isRefused(at.honest, at.container, 80)).toBe(true);
      await lan.connect(at.offender, at.container, 80);

      expect(await lan.firewall.reconcile([], [])).toEqual(nothing);
      expect(await lan.ruleset()).toBe('');
      await lan.connect(at.honest, at.container, 80);
    },
  );

  it('is nobody of a family of which it names nobody, and of no other container', async () => {
    await stand('macvlan', 'mode', 'bridge');
    await lan.serve(80);
    await close('nftables', tv({ allow: [friend] }));
    expect(await lan.isRefused(addresses[6].honest, addresses[6].container, 80)).toBe(true);
    await lan.connect(friend, to, 80);
    await lan.firewall.reconcile(
      [],
      [tv({ direct: [directTo('lan0', { addresses: ['198.51.100.201'] })], allow: [] })],
    );
    await lan.connect(stranger, to, 80);
  });

  // There is no connection tracking at this place: what a container asks of others must be answered all the same.
  it('has no say in what the container itself opens', async () => {
    await stand('macvlan', 'mode', 'bridge');
    for (const family of [4, 6] as const) {
      lan.with(await Party.echo(lan.outside, 53, addresses[family].offender));
    }
    await close('docker-user', tv({ allow: [] }));
    for (const family of [4, 6] as const) {
      const { container, offender } = addresses[family];
      const opened = lan.with(Party.client(lan.container, offender, 53, container));
      expect(await opened.next(3000)).toBe('ready');
      expect(await opened.isAnswered('over TCP')).toBe(true);
      const asked = lan.with(Party.datagrams(lan.container, offender, 53, container));
      expect(await asked.next(3000)).toBe('ready');
      expect(await asked.isAnswered('over UDP')).toBe(true);
    }
  });

  it('is settled for all packets to ports that are named, open connections too, and for no other port', async () => {
    await stand('macvlan', 'mode', 'bridge');
    for (const port of [80, 90, 8005]) await lan.serve(port);
    const closes = [published(80), published(8000, 8010), published(53, 90, { protocol: 'udp' })];
    await close('docker-user');
    const open = await lan.connect(stranger, to, 80);
    const [bad, good] = [stranger, friend].map((from) =>
      lan.with(Party.datagrams(lan.outside, to, 80, from)),
    );
    for (const party of [bad!, good!]) expect(await party.next(3000)).toBe('ready');
    for (const party of [open, bad!]) expect(await party.isAnswered('before')).toBe(true);
    await lan.firewall.reconcile([], [tv({ direct: [directTo('lan0', { closes })], allow: [friend] })]);
    for (const party of [open, bad!]) expect(await party.isAnswered('after')).toBe(false);
    expect(await good!.isAnswered('hello')).toBe(true);
    for (const port of [80, 8005]) expect(await lan.isRefused(stranger, to, port)).toBe(true);
    for (const port of [80, 8005]) await lan.connect(friend, to, port);
    await lan.connect(stranger, to, 90);
  });

  it.each(backends)('and bans hold for those who are let in (%s)', async (backend) => {
    const { offender, honest, container } = addresses[6];
    await stand('macvlan', 'mode', 'bridge');
    await lan.serve(80);
    const jail = jailWith([directTo('lan0')]);
    const access = [tv({ allow: [offender, honest] })];
    await likeDocker(lan.host, 'nft', backend);
    const firewall = await lan.open(backend);
    expect(await firewall.reconcile([jail], access)).toEqual(nothing);
    await lan.connect(offender, container, 80);
    await firewall.ban([banFor(offender, 600, 'tv')]);
    expect(await lan.isRefused(offender, container, 80)).toBe(true);
    await lan.connect(honest, container, 80);
    expect(await firewall.reconcile([jail], access)).toEqual(nothing);
    expect(await firewall.reconcile([], access)).toEqual(nothing);
    await lan.connect(offender, container, 80);
  });

  it('is put right again when somebody changed it, and told of when its interface is gone', async () => {
    const access = [tv({ allow: [friend, '2001:db8:1::/48'], deny: ['203.0.113.0/24'] })];
    await close('nftables', ...access);
    const before = await lan.ruleset();
    for (const script of ['delete table netdev dock2ban', 'flush chain netdev dock2ban direct-lan0']) {
      await lan.host.feed(`${script}\n`, 'nft', '-f', '-');
      expect(await lan.ruleset()).not.toBe(before);
      expect((await lan.firewall.reconcile([], access)).repairs).toHaveLength(1);
      expect(await lan.ruleset()).toBe(before);
    }
    await lan.host.sh('ip', 'link', 'delete', 'lan0');
    expect((await lan.firewall.reconcile([], access)).shortfalls).toMatchObject([
      {
        consequence: `allowfrom and denyfrom of tv (${to}, ${addresses[6].container}) are not enforced`,
        error: { message: 'there is no interface lan0, the parent of its network' },
      },
    ]);
    await lan.plug();
    await stand('macvlan', 'mode', 'bridge');
    await lan.serve(80);
    expect((await lan.firewall.reconcile([], access)).shortfalls).toEqual([]);
    expect(await lan.isRefused(stranger, to, 80)).toBe(true);
  });
});
