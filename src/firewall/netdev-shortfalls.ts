import { FirewallError } from './errors.ts';
import type { GuardedJail, Shortfall } from './firewall.ts';

/** What is not enforced because the table at ingress can't be written. */
export function failedShortfalls(jails: readonly GuardedJail[], error: FirewallError): Shortfall[] {
  if (jails.length === 0) {
    return [shortfall(undefined, 'bans that are lifted may still be enforced at ingress', error)];
  }
  return jails.map(({ name, direct = [] }) => {
    const where = direct.flatMap(({ addresses }) => addresses).join(', ');
    return shortfall(name, `bans of jail ${name} are not enforced for ${where}`, explained(error));
  });
}

/** What is not enforced because an interface doesn't exist. */
export function missingShortfalls(jails: readonly GuardedJail[], devices: ReadonlySet<string>): Shortfall[] {
  return jails.flatMap(({ name, direct = [] }) =>
    direct
      .filter(({ parent }) => !devices.has(parent))
      .map(({ parent, addresses }) =>
        shortfall(
          name,
          `bans of jail ${name} are not enforced for ${addresses.join(', ')}`,
          new FirewallError(
            'firewall-not-found',
            `there is no interface ${parent}, the parent of its network`,
            {
              fix: `make ${parent} again; it is looked for every few seconds`,
            },
          ),
        ),
      ),
  );
}

/** Other than elsewhere, nothing but nft will do here. */
function explained(error: FirewallError): FirewallError {
  const fixes: Partial<Record<FirewallError['code'], string>> = {
    'firewall-missing-binary':
      "install nftables, built with JSON support: packets of macvlan and ipvlan pass none of iptables' chains",
    'firewall-kernel':
      'the kernel needs nf_tables with netdev support (CONFIG_NF_TABLES_NETDEV, Linux 4.2 or newer)',
  };
  const fix = fixes[error.code];
  return fix === undefined ? error : new FirewallError(error.code, error.message, { fix, cause: error });
}

function shortfall(jail: string | undefined, consequence: string, error: FirewallError): Shortfall {
  return { jail, family: undefined, consequence, error };
}
