import type { FirewallInfo } from '../../firewall/firewall.ts';
import type { ClosedPort, JailSpec } from '../../config/jail-spec.ts';

/** What a ban closes, in the form of the label: `80/tcp`, `8000:8010/udp`, `192.0.2.1:80/tcp`; `192.0.2.1` is everything there. */
export function portNames({
  closes,
  direct = [],
}: Pick<JailSpec, 'closes' | 'direct'>): 'all' | readonly string[] {
  if (closes === 'all') return closes;
  const apart = direct.flatMap(({ addresses, closes: there }) =>
    addresses.flatMap((hostAddress) =>
      there === 'all' ? [hostAddress] : there.map((port) => portName({ ...port, hostAddress })),
    ),
  );
  return [...closes.map(portName), ...apart];
}

function portName({ protocol, first, last, hostAddress }: ClosedPort): string {
  const range = first === last ? `${first}` : `${first}:${last}`;
  const address = hostAddress?.includes(':') ? `[${hostAddress}]` : hostAddress;
  return `${address === undefined ? '' : `${address}:`}${range}/${protocol}`;
}

/** What was found at the start. @param firewall undefined: nothing that enforces bans yet */
export function readyText(
  docker: string,
  firewall: FirewallInfo | undefined,
  jails: readonly string[],
): string {
  const enforced = firewall ? enforcedBy(firewall) : 'no firewall yet';
  return [
    `Docker ${docker}`,
    `firewall ${enforced}${entryPoints(firewall)}`,
    ...(firewall?.remarks ?? []),
    jails.length > 0 ? `jails ${jails.join(', ')}` : 'no container has the label fail2ban.jail yet',
  ].join('; ');
}

function entryPoints(firewall: FirewallInfo | undefined): string {
  const { 4: four, 6: six } = firewall?.entry ?? {};
  if (four === undefined && six === undefined) return '';
  return ` (IPv4 from ${four ?? 'nowhere'}, IPv6 from ${six ?? 'nowhere'})`;
}

/** `docker-user with iptables-nft` */
export function enforcedBy({ backend, variant }: FirewallInfo): string {
  return variant === undefined ? backend : `${backend} with iptables-${variant}`;
}
