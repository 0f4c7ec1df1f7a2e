import { describe, expect, it } from 'vitest';
import { DryRunFirewall } from '../../src/firewall/dry-run.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';

describe('DryRunFirewall', () => {
  it('says what it would do, and refuses what a real firewall would refuse', async () => {
    const said: string[] = [];
    const neverBan = new NeverBan({ host: [], gateways: [], dockerSubnets: [] });
    const firewall = new DryRunFirewall({ neverBan: () => neverBan, report: (text) => said.push(text) });
    const jails = [{ name: 'web', closes: 'all' as const, blocktype: 'drop' as const }];
    expect((await firewall.open()).backend).toBe('none');
    await firewall.reconcile(jails);
    await firewall.reconcile(jails);
    const ban = (ip: string) => ({ jail: 'web', ip, since: 0, until: undefined });
    expect(await firewall.ban([ban('203.0.113.9'), ban('127.0.0.1')])).toMatchObject([
      { jail: 'web', ip: '127.0.0.1', kind: 'loopback' },
    ]);
    expect(said).toEqual(['Would close ports for the jails: web']);
  });
});
