import type { AccessSpec } from '../../config/labels/access-spec.ts';
import { unclosed } from '../access/access-shortfalls.ts';
import { FirewallError } from '../tool/errors.ts';
import type { GuardedJail, Shortfall } from '../firewall.ts';

/** What is not enforced because the table at ingress can't be written. */
export function failedShortfalls(
  jails: readonly GuardedJail[],
  accesses: readonly AccessSpec[],
  error: FirewallError,
): Shortfall[] {
  if (jails.length === 0 && accesses.length === 0) {
    return [shortfall(undefined, 'lifted bans may still be enforced at ingress', error)];
  }
  const bans = jails.map(({ name, direct = [] }) => {
    const where = direct.flatMap(({ addresses }) => addresses).join(', ');
    return shortfall(name, `bans of jail ${name} are not enforced for ${where}`, explained(error));
  });
  return [...bans, ...unclosed(accesses.map(namedAt), undefined, explained(error))];
}

/** What is not enforced because an interface doesn't exist. */
export function missingShortfalls(
  jails: readonly GuardedJail[],
  accesses: readonly AccessSpec[],
  devices: ReadonlySet<string>,
): Shortfall[] {
  const bans = jails.flatMap(({ name, direct = [] }) =>
    direct
      .filter(({ parent }) => !devices.has(parent))
      .map(({ parent, addresses }) =>
        shortfall(
          name,
          `bans of jail ${name} are not enforced for ${addresses.join(', ')}`,
          noInterface(parent),
        ),
      ),
  );
  const labels = accesses.flatMap(({ container, direct = [] }) =>
    direct
      .filter(({ parent }) => !devices.has(parent))
      .flatMap((path) =>
        unclosed([namedAt({ container, direct: [path] })], undefined, noInterface(path.parent)),
      ),
  );
  return [...bans, ...labels];
}

function noInterface(parent: string): FirewallError {
  return new FirewallError(
    'firewall-not-found',
    `there is no interface ${parent}, the parent of its network`,
    {
      fix: `bring ${parent} back; dock2ban looks for it every few seconds`,
    },
  );
}

/** `tv (192.0.2.200)`: where it publishes ports besides, these may well be closed. */
function namedAt({ container, direct = [] }: Pick<AccessSpec, 'container' | 'direct'>): string {
  return `${container} (${direct.flatMap(({ addresses }) => addresses).join(', ')})`;
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
