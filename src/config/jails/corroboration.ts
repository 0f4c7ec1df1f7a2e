import type { CorroborateChoice, Corroboration, JailSpec } from '../jail-spec.ts';

/**
 * `auto` is on where the address in the log is surely that of the packets, and every client comes by the ports that a ban closes. `on` is for
 * those who know better than what can be seen here.
 * @param parts what a ban closes at each container of the jail, and at the host
 */
export function corroborationOf(
  choice: CorroborateChoice,
  { closes, direct, sources }: Pick<JailSpec, 'closes' | 'direct' | 'sources'>,
  parts: readonly JailSpec['closes'][],
): Corroboration {
  if (choice === 'off') return { off: 'corroborate = off' };
  if (sources.every(({ kind }) => kind === 'bans')) return { off: 'it counts the bans of other jails' };
  if (closes === 'all') return { off: "a ban closes all ports, so it isn't known which are the service's" };
  if (!closes.some(({ protocol }) => protocol === 'tcp'))
    return {
      off: closes.length === 0 ? 'it has no ports' : 'it has no TCP port, and UDP sources can be forged',
    };
  if (choice === 'auto') {
    if (direct)
      return { off: 'a container stands in a local network by itself, where no connections are seen' };
    if (parts.some((part) => part.length === 0))
      return { off: 'one of its containers publishes no port: its clients come by another way' };
    if (closes.some(({ hostAddress = '' }) => isLoopback(hostAddress)))
      return { off: 'a port is published to this host alone: its clients come by a proxy' };
  }
  return { ports: closes };
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
