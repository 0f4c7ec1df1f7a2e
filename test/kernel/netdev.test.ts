import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DirectPath } from '../../src/config/jail-spec.ts';
import { removeRules } from '../../src/doctor/remove-rules.ts';
import { chooseFirewall } from '../../src/firewall/choose.ts';
import type { Firewall, GuardedJail } from '../../src/firewall/firewall.ts';
import { NeverBan } from '../../src/firewall/never-ban.ts';
import { backends, banFor, likeDocker, published, whyNotHere, type Backend } from './firewall-fixture.ts';
import { Netns } from './netns.ts';
import { Party } from './party.ts';

const addresses = {
  4: {
    offender: '198.51.100.66',
    honest: '198.51.100.7',
    container: '198.51.100.200',
    gateway: '198.51.100.1',
  },
  6: { offender: '2001:db8::66', honest: '2001:db8::7', container: '2001:db8::200', gateway: '2001:db8::1' },
} as const;

const nothing = { repairs: [], shortfalls: [], refused: [] };

let host: Netns;
let outside: Netns;
let container: Netns;
let firewall: Firewall;
let parties: Party[];

/** Whether this kernel has a type of network devices; one that has not calls the type unknown. */
async function knows(...kind: string[]): Promise<boolean> {
  const netns = await Netns.open();
  try {
    await netns.sh('ip', 'link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'port');
    await netns.sh('ip', 'link', 'add', 'probe', 'link', 'lan0', 'type', ...kind);
    return true;
  } catch (error) {
    if (String(error).includes('Unknown device type')) return false;
    throw error;
  } finally {
    netns.close();
  }
}

const hasIpvlan = whyNotHere() === undefined && (await knows('ipvlan', 'mode', 'l2'));
if (!hasIpvlan) console.warn('this kernel has no ipvlan: its cases are LEFT OUT');

/** Puts `lan0.50` and `port.50` on the cable. @returns whether the kernel has VLANs */
async function vlan(): Promise<boolean> {
  if (!(await knows('vlan', 'id', '50'))) return false;
  for (const [netns, device] of [
    [host, 'lan0'],
    [outside, 'port'],
  ] as const) {
    await netns.sh('ip', 'link', 'add', 'link', device, 'name', `${device}.50`, 'type', 'vlan', 'id', '50');
    await netns.sh('ip', 'link', 'set', `${device}.50`, 'up');
  }
  return true;
}

/** Plugs the host's `lan0` into the network in which the others stand. */
async function plug(device = 'lan0', peer = 'port'): Promise<void> {
  const to = ['peer', 'name', peer, 'netns', String(outside.pid)];
  await host.sh('ip', 'link', 'add', device, 'type', 'veth', ...to);
  await host.sh('ip', 'link', 'set', device, 'up');
  await outside.sh('ip', 'link', 'set', peer, 'up');
}

/** @param kind of `ip link add … type` */
async function join(parent: string, ...kind: string[]): Promise<void> {
  await host.sh(
    'ip',
    'link',
    'add',
    'child',
    'link',
    parent,
    'netns',
    String(container.pid),
    'type',
    ...kind,
  );
  await container.sh('ip', 'link', 'set', 'child', 'up');
  for (const family of [4, 6] as const) await address(container, 'child', addresses[family].container);
}

async function address(netns: Netns, device: string, text: string): Promise<void> {
  const bits = text.includes(':') ? 64 : 24;
  const nodad = text.includes(':') ? ['nodad'] : [];
  await netns.sh('ip', 'address', 'add', `${text}/${bits}`, 'dev', device, ...nodad);
}

async function strangers(device: string): Promise<void> {
  for (const family of [4, 6] as const) {
    for (const each of ['offender', 'honest'] as const)
      await address(outside, device, addresses[family][each]);
  }
}

function directTo(parent: string, more: Partial<DirectPath> = {}): DirectPath {
  return { parent, addresses: [addresses[4].container, addresses[6].container], closes: 'all', ...more };
}

function jailWith(direct: readonly DirectPath[], more: Partial<GuardedJail> = {}): GuardedJail {
  return { name: 'tv', closes: [], blocktype: 'drop', direct, ...more };
}

function open(backend: Backend): Firewall {
  const neverBan = new NeverBan({ host: [], gateways: [addresses[4].gateway], dockerSubnets: [] });
  return chooseFirewall({
    choice: backend,
    tools: host.tools,
    procNet: host.procNet,
    neverBan: () => neverBan,
    engineBackend: () => undefined,
  });
}

async function guard(backend: Backend, ...jails: GuardedJail[]): Promise<void> {
  await likeDocker(host, 'nft', backend);
  firewall = open(backend);
  await firewall.open();
  await firewall.takeOver(jails.map(({ name }) => name));
  expect(await firewall.reconcile(jails)).toEqual(nothing);
  expect(await firewall.reconcile(jails)).toEqual(nothing);
}

async function serve(port: number): Promise<void> {
  for (const family of [4, 6] as const) {
    parties.push(await Party.echo(container, port, addresses[family].container));
  }
}

async function connect(from: string, to: string, port: number): Promise<Party> {
  const party = Party.client(outside, to, port, from);
  parties.push(party);
  expect(await party.next(3000), `${from} to ${to} port ${port}`).toBe('ready');
  return party;
}

async function isRefused(from: string, to: string, port: number): Promise<boolean> {
  const party = Party.client(outside, to, port, from);
  parties.push(party);
  return (await party.next(700)) === undefined;
}

async function ruleset(): Promise<string> {
  return (await host.sh('nft', '-s', 'list', 'ruleset', 'netdev')).replaceAll(/ expires \w+/g, '');
}

describe.skipIf(whyNotHere())('containers that stand in the local network by themselves', () => {
  beforeEach(async () => {
    parties = [];
    host = await Netns.open();
    outside = await Netns.open();
    container = await Netns.open();
    await plug();
  });
  afterEach(async () => {
    for (const party of parties) await party.close();
    await firewall?.close();
    for (const netns of [host, outside, container]) netns.close();
  });

  const kinds = [
    ['macvlan', ['macvlan', 'mode', 'bridge']],
    ...(hasIpvlan ? [['ipvlan (L2)', ['ipvlan', 'mode', 'l2']] as const] : []),
  ] as const;
  const cells = backends.flatMap((backend) =>
    kinds.flatMap(([name, kind]) => ([4, 6] as const).map((family) => ({ backend, name, kind, family }))),
  );

  it.for(cells)(
    'are closed to an offender, open connections too, and to nobody else ($backend, $name, IPv$family)',
    async ({ backend, kind, family }) => {
      const { offender, honest, container: to } = addresses[family];
      await join('lan0', ...kind);
      await strangers('port');
      await serve(80);
      await guard(backend, jailWith([directTo('lan0')]));
      const cut = await connect(offender, to, 80);
      const served = await connect(honest, to, 80);
      expect(await cut.isAnswered('before')).toBe(true);

      expect(await firewall.ban([banFor(offender, 600, 'tv')])).toEqual([]);

      expect(await cut.isAnswered('after')).toBe(false);
      expect(await isRefused(offender, to, 80)).toBe(true);
      expect(await served.isAnswered('still here')).toBe(true);
      await connect(honest, to, 80);
      await firewall.unban([{ jail: 'tv', ip: offender }]);
      await connect(offender, to, 80);
    },
  );

  it.for(hasIpvlan ? ['ipvlan (L3)'] : [])('are closed on %s, which the host routes', async () => {
    const { offender, honest, gateway } = addresses[4];
    await host.sh('ip', 'address', 'add', `${gateway}/24`, 'dev', 'lan0');
    await host.sh(
      'ip',
      'link',
      'add',
      'child',
      'link',
      'lan0',
      'netns',
      String(container.pid),
      'type',
      'ipvlan',
      'mode',
      'l3',
    );
    await container.sh('ip', 'link', 'set', 'child', 'up');
    await container.sh('ip', 'address', 'add', '192.0.2.200/24', 'dev', 'child');
    await container.sh('ip', 'route', 'add', 'default', 'dev', 'child');
    await strangers('port');
    await outside.sh('ip', 'route', 'add', '192.0.2.0/24', 'via', gateway);
    parties.push(await Party.echo(container, 80, '192.0.2.200'));
    await guard('docker-user', jailWith([directTo('lan0', { addresses: ['192.0.2.200'] })]));
    await connect(offender, '192.0.2.200', 80);
    await firewall.ban([banFor(offender, 600, 'tv')]);
    expect(await isRefused(offender, '192.0.2.200', 80)).toBe(true);
    await connect(honest, '192.0.2.200', 80);
  });

  it('are closed behind a VLAN of the host (or what is named so, in a kernel without VLANs), by prefix', async () => {
    if (!(await vlan())) await plug('lan0.50', 'port.50');
    await join('lan0.50', 'macvlan', 'mode', 'bridge');
    await strangers('port.50');
    await serve(80);
    await guard('nftables', jailWith([directTo('lan0.50')]));
    for (const family of [4, 6] as const)
      await connect(addresses[family].offender, addresses[family].container, 80);
    await firewall.ban([banFor('198.51.100.64/26', 600, 'tv'), banFor('2001:db8::40/122', 600, 'tv')]);
    for (const family of [4, 6] as const) {
      const { offender, honest, container: to } = addresses[family];
      expect(await isRefused(offender, to, 80)).toBe(true);
      await connect(honest, to, 80);
    }
  });

  it('are closed behind a bridge of the host', async () => {
    const { offender, honest, container: to } = addresses[4];
    await host.sh('ip', 'link', 'add', 'br0', 'type', 'bridge');
    await host.sh('ip', 'link', 'set', 'lan0', 'master', 'br0');
    await host.sh('ip', 'link', 'set', 'br0', 'up');
    await join('br0', 'macvlan', 'mode', 'bridge');
    await strangers('port');
    await serve(80);
    await guard('docker-user', jailWith([directTo('br0')]));
    await connect(offender, to, 80);
    await firewall.ban([banFor(offender, 600, 'tv')]);
    expect(await isRefused(offender, to, 80)).toBe(true);
    await connect(honest, to, 80);
  });

  it('are closed at certain ports only, if the label names them', async () => {
    const { offender, container: to } = addresses[4];
    await join('lan0', 'macvlan', 'mode', 'bridge');
    await strangers('port');
    for (const port of [80, 90, 8005]) await serve(port);
    const closes = [published(80), published(8000, 8010), published(53, 53, { protocol: 'udp' })];
    await guard('docker-user', jailWith([directTo('lan0', { closes })]));
    await firewall.ban([banFor(offender, 600, 'tv')]);
    for (const port of [80, 8005]) expect(await isRefused(offender, to, port)).toBe(true);
    await connect(offender, to, 90);
  });

  it('refuse an offender at once, where the verdict is reject', async () => {
    for (const closes of ['all', [published(80)]] as const) {
      const { offender, honest, container: to } = addresses[4];
      if (closes === 'all') {
        await join('lan0', 'macvlan', 'mode', 'bridge');
        await strangers('port');
        await serve(80);
      }
      await guard('docker-user', jailWith([directTo('lan0', { closes })], { blocktype: 'reject' }));
      await firewall.ban([banFor(offender, 600, 'tv')]);
      const again = Party.client(outside, to, 80, offender);
      parties.push(again);
      expect(await again.next(3000)).toBe('ECONNREFUSED');
      await connect(honest, to, 80);
      await firewall.flush();
      await firewall.close();
    }
  });

  it('are let in again by the kernel when the ban ends', async () => {
    const { offender, container: to } = addresses[4];
    await join('lan0', 'macvlan', 'mode', 'bridge');
    await strangers('port');
    await serve(80);
    await guard('docker-user', jailWith([directTo('lan0')]));
    await firewall.ban([banFor(offender, 2, 'tv')]);
    expect(await isRefused(offender, to, 80)).toBe(true);
    await expect.poll(() => isRefused(offender, to, 80), { timeout: 10_000, interval: 300 }).toBe(false);
  });

  it.each([
    'flush ruleset',
    'delete table netdev dock2ban',
    'flush chain netdev dock2ban ingress-lan0',
    'flush chain netdev dock2ban direct-lan0',
    'add chain netdev dock2ban mine',
    'flush set netdev dock2ban dock2ban-4-tv',
    'delete element netdev dock2ban dock2ban-4-tv { 203.0.113.9 }',
    'add element netdev dock2ban dock2ban-4-tv { 203.0.113.77 }',
  ])('are closed again after %s', async (script) => {
    const jail = jailWith([directTo('lan0')]);
    await guard('docker-user', jail);
    await firewall.ban([banFor('203.0.113.9', undefined, 'tv'), banFor('203.0.113.0/24', undefined, 'tv')]);
    expect(await firewall.reconcile([jail])).toEqual(nothing);
    const before = await ruleset();
    await host.feed(`${script}\n`, 'nft', '-f', '-');
    expect(await ruleset()).not.toBe(before);
    const { repairs, shortfalls } = await firewall.reconcile([jail]);
    expect(shortfalls).toEqual([]);
    expect(repairs.filter(({ detail }) => /netdev|ingress/.test(detail))).toHaveLength(1);
    expect(await ruleset()).toBe(before);
    expect(await firewall.reconcile([jail])).toEqual(nothing);
  });

  it('are told of when their interface vanishes, and closed again when it is back', async () => {
    const { offender, honest, container: to } = addresses[4];
    const jail = jailWith([directTo('lan0')]);
    await guard('docker-user', jail);
    await firewall.ban([banFor(offender, 600, 'tv')]);
    await host.sh('ip', 'link', 'delete', 'lan0');
    const { shortfalls } = await firewall.reconcile([jail]);
    expect(shortfalls).toMatchObject([
      { jail: 'tv', error: { message: 'there is no interface lan0, the parent of its network' } },
    ]);
    await firewall.ban([banFor('203.0.113.5', 600, 'tv')]);
    await plug();
    await join('lan0', 'macvlan', 'mode', 'bridge');
    await strangers('port');
    await serve(80);
    expect((await firewall.reconcile([jail])).shortfalls).toEqual([]);
    expect(await isRefused(offender, to, 80)).toBe(true);
    await connect(honest, to, 80);
  });

  it.each(backends)('keep their bans when dock2ban starts anew (%s)', async (backend) => {
    const jail = jailWith([directTo('lan0')]);
    await guard(backend, jail);
    await firewall.ban([banFor('203.0.113.9', undefined, 'tv'), banFor('2001:db8:1::/64', 600, 'tv')]);
    const before = await ruleset();
    await firewall.close();
    firewall = open(backend);
    await firewall.open();
    expect(await ruleset()).toBe(before);
    const held = await firewall.takeOver(['tv']);
    expect(
      held
        .get('tv')!
        .map(({ ip }) => ip)
        .toSorted(),
    ).toEqual(['2001:db8:1::/64', '203.0.113.9']);
    expect(await firewall.reconcile([jail])).toEqual(nothing);
    const elements = (text: string): string[] => text.match(/elements = .*/g) ?? [];
    expect(elements(await ruleset()).length).toBe(elements(before).length);
    expect(await ruleset()).toContain('203.0.113.9');
  });

  it('never get an address into the set that must not be banned', async () => {
    await guard('docker-user', jailWith([directTo('lan0')]));
    expect(await firewall.ban([banFor(addresses[4].gateway, 600, 'tv')])).toMatchObject([
      { kind: 'gateway' },
    ]);
    expect(await ruleset()).not.toContain(addresses[4].gateway);
  });

  it('leave nothing behind: after flush, after the last of them is gone, and after uninstall-rules', async () => {
    const jail = jailWith([directTo('lan0')]);
    await host.feed('add table netdev somebody-elses\n', 'nft', '-f', '-');
    const before = await ruleset();
    await guard('docker-user', jail);
    expect(await ruleset()).not.toBe(before);
    await firewall.reconcile([jailWith([], { closes: 'all' })]);
    expect(await ruleset()).toBe(before);
    await firewall.reconcile([jail]);
    expect(await ruleset()).not.toBe(before);
    await firewall.flush();
    expect(await ruleset()).toBe(before);
    await firewall.reconcile([jail]);
    expect(await removeRules(host.tools, host.procNet)).toContain('nft table netdev dock2ban');
    expect(await ruleset()).toBe(before);
  });
});
