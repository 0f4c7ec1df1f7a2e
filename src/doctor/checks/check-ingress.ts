import type { DirectPath } from '../../config/jail-spec.ts';
import { ingressChain, ingressTable } from '../../firewall/nft/ingress-plan.ts';
import { FirewallError } from '../../firewall/tool/errors.ts';
import type { FirewallFacts } from '../facts/firewall-facts.ts';
import { error, ok, untested, type Finding } from '../finding.ts';

/**
 * Whether bans, and what labels say of who gets in, are enforced where packets of containers on macvlan and ipvlan pass.
 * @param guarded jails and containers
 */
export function checkIngress(
  { nft }: Pick<FirewallFacts, 'nft'>,
  guarded: readonly { readonly direct?: readonly DirectPath[] }[],
): Finding[] {
  const paths = guarded.flatMap(({ direct = [] }) => direct);
  const parents = [...new Set(paths.map(({ parent }) => parent))];
  if (parents.length === 0) return [];
  if (nft instanceof FirewallError) {
    const what = `whether bans hold at ingress of ${parents.join(', ')}: ${nft.message}`;
    return [untested('firewall', what, nft.fix)];
  }
  const isGuarded = (parent: string): boolean => nft.ingress.chains.has(ingressChain(parent));
  const guardedAt = parents.filter(isGuarded);
  const open = paths.filter(({ parent }) => !isGuarded(parent));
  const openAt = [...new Set(open.map(({ parent }) => parent))].join(', ');
  const addresses = [...new Set(open.flatMap((path) => path.addresses))].join(', ');
  return [
    ...(guardedAt.length > 0
      ? [
          ok(
            'firewall',
            `the table ${ingressTable} is at ingress of ${guardedAt.join(', ')}, for containers on macvlan and ipvlan`,
          ),
        ]
      : []),
    ...(open.length > 0
      ? [
          error('firewall', {
            what: `the table ${ingressTable} is not at ingress of ${openAt}`,
            consequence: `bans and labels do not hold for ${addresses}: packets there pass none of the host's other chains`,
            remedy: `check that the interface exists (ip link show) and that the controller runs; it tries again every 5 seconds`,
          }),
        ]
      : []),
  ];
}
