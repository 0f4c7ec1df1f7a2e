import { describe, expect, it } from 'vitest';
import type { JailSpec } from '../../../src/config/jail-spec.ts';
import { checkIngress } from '../../../src/doctor/checks/check-ingress.ts';
import type { NftFacts } from '../../../src/doctor/facts/firewall-facts.ts';
import { parseListing, type Listing } from '../../../src/firewall/nft/listing.ts';
import { FirewallError } from '../../../src/firewall/tool/errors.ts';
import { jailSpec } from '../../jail/jail-spec.ts';

const path = (parent: string) => ({ parent, addresses: ['192.0.2.200'], closes: 'all' as const });

function spec(...parents: string[]): JailSpec {
  return { ...jailSpec(), name: 'tv', ...(parents.length > 0 && { direct: parents.map(path) }) };
}

function listing(...chains: string[]): Listing {
  const own = { family: 'netdev', table: 'dock2ban' };
  const text = JSON.stringify({
    nftables: [
      { table: { family: 'netdev', name: 'dock2ban', handle: 1 } },
      ...chains.map((name, i) => ({ chain: { ...own, name, handle: i + 2 } })),
    ],
  });
  return parseListing(text, 'netdev dock2ban');
}

const nft = (ingress: Listing) => ({ nft: { ingress } as NftFacts });

describe('containers on macvlan and ipvlan', () => {
  it('are nothing to look at where there are none', () => {
    expect(checkIngress(nft(listing()), [spec()])).toEqual([]);
  });

  it('are found guarded or not by interface, each of which is told once', () => {
    const facts = nft(listing('direct-eth0', 'ingress-eth0'));
    expect(checkIngress(facts, [spec('eth0', 'eth1'), spec('eth0', 'eth2')])).toMatchObject([
      { severity: 'ok' },
      { severity: 'error', what: 'the table netdev dock2ban is not at ingress of eth1, eth2' },
    ]);
  });

  it('are untested where the kernel cannot be asked', () => {
    const denied = new FirewallError('firewall-permission', 'nft: Operation not permitted');
    expect(checkIngress({ nft: denied }, [spec('eth0')])).toMatchObject([{ severity: 'untested' }]);
  });
});
