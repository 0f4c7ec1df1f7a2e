import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DryRunFirewall } from '../../../src/firewall/dry-run.ts';
import { FirewallError } from '../../../src/firewall/tool/errors.ts';
import { Troubles } from '../../../src/daemon/enforcing/troubles.ts';
import { eventLog } from '../../../src/daemon/events/event-log.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

let daemon: LiveDaemon;

beforeEach(() => {
  daemon = new LiveDaemon();
});

afterEach(() => daemon.end());

it('a failed ban hides no standing shortfall, and neither is logged again while it lasts', async () => {
  const consequence = 'bans of jail app are not enforced over IPv6';
  const error = new FirewallError('firewall-missing-binary', 'no ip6tables');
  let shortfalls = [{ jail: 'app', family: 6 as const, consequence, error }];
  let ban = vi.fn<DryRunFirewall['ban']>();
  daemon.firewall = (neverBan) => {
    const firewall = new DryRunFirewall({ neverBan, report: () => undefined });
    firewall.reconcile = async () => ({ repairs: [], refused: [], shortfalls });
    ban = vi.spyOn(firewall, 'ban');
    return firewall;
  };
  daemon.config('jail.local', daemon.section('app'));
  await daemon.start();
  const errors = (): unknown[] => daemon.of('firewall-error').map((event) => event['error']);
  const troubles = (): readonly string[] => daemon.control.status().firewall.troubles;
  expect(troubles()).toEqual([`${consequence}: no ip6tables`]);
  ban.mockRejectedValueOnce(new FirewallError('firewall-locked', 'the lock is held'));
  await daemon.control.ban('app', ['203.0.113.9']);
  expect(troubles()).toEqual([
    `${consequence}: no ip6tables`,
    'not blocked yet: [app] 203.0.113.9: the lock is held',
  ]);
  await daemon.control.live.reload(undefined);
  expect(troubles()).toEqual([`${consequence}: no ip6tables`]);
  expect(errors()).toEqual(['no ip6tables', 'the lock is held']);
  shortfalls = [];
  await daemon.control.live.reload(undefined);
  expect(daemon.control.status().firewall).toMatchObject({ healthy: true, troubles: [] });
});

it('what one jail lacks is no trouble of all, unless all lack it', () => {
  const troubles = new Troubles(
    eventLog({ info: () => undefined, warn: () => undefined, error: () => undefined }),
  );
  const error = new FirewallError('firewall-kernel', 'no such interface');
  const lacking = (jail: string | undefined) => ({
    jail,
    family: undefined,
    consequence: 'not enforced',
    error,
  });
  troubles.reconciled([lacking('lan')], true);
  expect(troubles.texts).toEqual(['not enforced: no such interface']);
  expect(troubles.ofAllJails(['lan', 'web'])).toEqual([]);
  expect(troubles.ofAllJails(['lan'])).toHaveLength(1);
  troubles.reconciled([lacking(undefined)], true);
  expect(troubles.ofAllJails(['lan', 'web'])).toHaveLength(1);
});
