import { describe, expect, it } from 'vitest';
import { removeRules } from '../../src/doctor/remove-rules.ts';
import { backends, banFor, whyNotHere } from './firewall-fixture.ts';
import { addresses, directTo, eachOnItsOwn, jailWith, type LocalNetwork, nothing } from './local-network.ts';

describe.skipIf(whyNotHere())('rules for containers that stand in the local network by themselves', () => {
  let lan: LocalNetwork;
  eachOnItsOwn((network) => (lan = network));

  /** Sets and chains of the table, in whatever order they were made. */
  async function blocks(): Promise<string[]> {
    return (await lan.ruleset())
      .replace(/^table .*\n/, '')
      .split('\n\n')
      .toSorted();
  }

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
    await lan.guard('docker-user', jail);
    await lan.firewall.ban([
      banFor('203.0.113.9', undefined, 'tv'),
      banFor('203.0.113.0/24', undefined, 'tv'),
    ]);
    expect(await lan.firewall.reconcile([jail])).toEqual(nothing);
    const before = await blocks();
    await lan.host.feed(`${script}\n`, 'nft', '-f', '-');
    expect(await blocks()).not.toEqual(before);
    const { repairs, shortfalls } = await lan.firewall.reconcile([jail]);
    expect(shortfalls).toEqual([]);
    expect(repairs.filter(({ detail }) => /netdev|ingress/.test(detail))).toHaveLength(1);
    expect(await blocks()).toEqual(before);
    expect(await lan.firewall.reconcile([jail])).toEqual(nothing);
  });

  it('are told of when their interface vanishes, and closed again when it is back', async () => {
    const { offender, honest, container: to } = addresses[4];
    const jail = jailWith([directTo('lan0')]);
    await lan.guard('docker-user', jail);
    await lan.firewall.ban([banFor(offender, 600, 'tv')]);
    await lan.host.sh('ip', 'link', 'delete', 'lan0');
    const { shortfalls } = await lan.firewall.reconcile([jail]);
    expect(shortfalls).toMatchObject([
      { jail: 'tv', error: { message: 'there is no interface lan0, the parent of its network' } },
    ]);
    await lan.firewall.ban([banFor('203.0.113.5', 600, 'tv')]);
    await lan.plug();
    await lan.join('lan0', 'macvlan', 'mode', 'bridge');
    await lan.strangers('port');
    await lan.serve(80);
    expect((await lan.firewall.reconcile([jail])).shortfalls).toEqual([]);
    expect(await lan.isRefused(offender, to, 80)).toBe(true);
    await lan.connect(honest, to, 80);
  });

  it.each(backends)('keep their bans when dock2ban starts anew (%s)', async (backend) => {
    const jail = jailWith([directTo('lan0')]);
    await lan.guard(backend, jail);
    await lan.firewall.ban([banFor('203.0.113.9', undefined, 'tv'), banFor('2001:db8:1::/64', 600, 'tv')]);
    const before = await lan.ruleset();
    await lan.open(backend);
    expect(await lan.ruleset()).toBe(before);
    const held = await lan.firewall.takeOver(['tv']);
    expect(
      held
        .get('tv')!
        .map(({ ip }) => ip)
        .toSorted(),
    ).toEqual(['2001:db8:1::/64', '203.0.113.9']);
    expect(await lan.firewall.reconcile([jail])).toEqual(nothing);
    const elements = (text: string): string[] => text.match(/elements = .*/g) ?? [];
    expect(elements(await lan.ruleset()).length).toBe(elements(before).length);
    expect(await lan.ruleset()).toContain('203.0.113.9');
  });

  it('never get an address into the set that must not be banned', async () => {
    await lan.guard('docker-user', jailWith([directTo('lan0')]));
    expect(await lan.firewall.ban([banFor(addresses[4].gateway, 600, 'tv')])).toMatchObject([
      { kind: 'gateway' },
    ]);
    expect(await lan.ruleset()).not.toContain(addresses[4].gateway);
  });

  it('leave nothing behind: after flush, after the last of them is gone, and after uninstall-rules', async () => {
    const jail = jailWith([directTo('lan0')]);
    await lan.host.feed('add table netdev somebody-elses\n', 'nft', '-f', '-');
    const before = await lan.ruleset();
    await lan.guard('docker-user', jail);
    expect(await lan.ruleset()).not.toBe(before);
    await lan.firewall.reconcile([jailWith([], { closes: 'all' })]);
    expect(await lan.ruleset()).toBe(before);
    await lan.firewall.reconcile([jail]);
    expect(await lan.ruleset()).not.toBe(before);
    await lan.firewall.flush();
    expect(await lan.ruleset()).toBe(before);
    await lan.firewall.reconcile([jail]);
    expect(await removeRules(lan.host.tools, lan.host.procNet)).toContain('nft table netdev dock2ban');
    expect(await lan.ruleset()).toBe(before);
  });
});
