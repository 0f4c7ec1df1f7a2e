import type { JailSpec } from '../../config/jail-spec.ts';
import { FirewallError } from '../../firewall/tool/errors.ts';
import { visitorsTable } from '../../firewall/visitors/visitors-table.ts';
import type { FirewallFacts } from '../facts/firewall-facts.ts';
import { ok, untested, warning, type Finding } from '../finding.ts';

/**
 * Which jails' bans are checked against the connections that the kernel saw, and why the others' are not.
 * @param isRunning whether a controller runs: nobody else makes the table
 */
export function checkCorroboration(
  { nft }: Pick<FirewallFacts, 'nft'>,
  jails: readonly Pick<JailSpec, 'name' | 'corroboration'>[],
  isRunning: boolean,
): Finding[] {
  const byReason = Map.groupBy(jails, ({ corroboration }) =>
    'off' in corroboration ? corroboration.off : undefined,
  );
  return [...byReason].flatMap(([reason, some]) => {
    const bans = `bans of ${some.map(({ name }) => name).join(', ')}`;
    if (reason !== undefined) return ok('firewall', `${bans} are not checked against connections: ${reason}`);
    if (nft instanceof FirewallError)
      return untested(
        'firewall',
        `whether ${bans} need a connection of the address: ${nft.message}`,
        nft.fix,
      );
    if (nft.visitors.chains.size > 0)
      return ok('firewall', `${bans} need a connection of the address to the jail's ports`);
    if (!isRunning) return [];
    return warning('firewall', {
      what: `the table ${visitorsTable} is missing`,
      consequence: `${bans} are not checked against connections: a forged line can ban anybody`,
      remedy: "its log says why dock2ban can't make it; the kernel needs nf_tables",
    });
  });
}
