import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { Closes, DirectPath } from '../../config/jail-spec.ts';
import { destinations, portMatches, sourceMatches } from './matches.ts';
import { accessChain } from './names.ts';

/** The paths by which labels close containers that stand in a local network by themselves. */
export interface AccessPath {
  readonly access: AccessSpec;
  readonly path: DirectPath;
}

export function accessPaths(accesses: readonly AccessSpec[]): AccessPath[] {
  return accesses
    .toSorted((a, b) => (a.container < b.container ? -1 : 1))
    .flatMap((access) => (access.direct ?? []).map((path) => ({ access, path })));
}

/** The rules that lead from an interface to what labels say of its containers. They let nobody pass: bans come after. */
export function accessJumps(paths: readonly AccessPath[]): string[] {
  return paths.flatMap(({ access, path }) =>
    ([4, 6] as const).flatMap((family) => {
      const to = destinations(path.addresses, family);
      return to === undefined ? [] : [`${to} jump ${accessChain(access.container)}`];
    }),
  );
}

/**
 * What labels say of a container, as a chain. There is no connection tracking at this place. So of everything that may come from those who are
 * not let in, only the first packet of a TCP connection can be told from the answers that the container waits for; at ports that are named,
 * all is dropped. Those who are denied get nothing through but ICMP, without which IPv6 stops.
 */
export function accessChainAt({
  access: { container, allow, deny },
  path,
}: AccessPath): [name: string, rules: string[]] {
  const named = matches(path.closes);
  const denied = path.closes === 'all' ? ['meta l4proto { tcp, udp, sctp } '] : named;
  const others = path.closes === 'all' ? ['tcp flags & (syn | rst | ack) == syn '] : named;
  return [
    accessChain(container),
    [
      ...sourceMatches(deny).flatMap((source) => denied.map((match) => `${source} ${match}counter drop`)),
      ...sourceMatches(allow ?? []).map((source) => `${source} return`),
      ...(allow ? others.map((match) => `${match}counter drop`) : []),
    ],
  ];
}

function matches(closes: Closes): string[] {
  return portMatches(closes).map(({ match }) => match);
}
