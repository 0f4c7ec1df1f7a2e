import type { ClosedPort } from '../../config/jail-spec.ts';
import { mergedPorts } from '../iptables/chain-rules.ts';

/** A line of a script, and the jail without which it would not be there. */
export interface Line {
  readonly text: string;
  /** Or what stands for a container, as `accessOwner` has it. */
  readonly jail: string | undefined;
}

/** A chain of our table. */
export interface Chain {
  /** Base chains: type, hook, priority and policy. */
  readonly hook: string | undefined;
  readonly rules: readonly Line[];
  readonly jail: string | undefined;
}

/** Those of both families in turn; what isn't restricted to an address is the same in both. */
export function closedPorts(ports: readonly ClosedPort[]): ClosedPort[] {
  return [
    ...mergedPorts(4, ports),
    ...mergedPorts(6, ports).filter(({ hostAddress }) => hostAddress !== undefined),
  ];
}

/** The rules' match of what was addressed to a port before Docker's DNAT; the protocol stands before it. */
export function portMatch({ protocol, first, last, hostAddress }: ClosedPort): {
  protocol: string;
  match: string;
} {
  const destination =
    hostAddress === undefined
      ? ''
      : `ct original ${hostAddress.includes(':') ? 'ip6' : 'ip'} daddr ${hostAddress} `;
  const ports = first === last ? `${first}` : `${first}-${last}`;
  return { protocol, match: `${destination}ct original proto-dst ${ports} ` };
}
