import { canonicalAddress, contains, parsePrefix, prefixOf } from '../net/address.ts';
import type { ListedNetwork } from './engine/engine-answers.ts';
import type { EngineProblem, NetworkSnapshot } from './snapshot.ts';

/** A network of Docker's is no wider: what is in one can't be banned. */
const widest = { 4: 8, 6: 32 } as const;

/** A name stands in events. */
const longestName = 255;

/** Whether a subnet can be one of Docker's. */
export function isBelievable(subnet: string): boolean {
  const prefix = parsePrefix(subnet);
  return prefix !== undefined && prefix.bits >= widest[prefix.family];
}

/** A network with what can be believed of its addresses, and what can't. */
export function networkSnapshot({ Name, Driver, IPAM, Options }: ListedNetwork): {
  readonly network: NetworkSnapshot;
  readonly problems: readonly EngineProblem[];
} {
  const subnets: string[] = [];
  const gateways: string[] = [];
  const problems: EngineProblem[] = [];
  const doubt = (message: string): void => {
    const fix = "look at it with docker network inspect; remove the network if it isn't meant to be so";
    problems.push({ where: `network ${Name.slice(0, longestName)}`, message, fix });
  };
  for (const { Subnet, Gateway } of IPAM?.Config ?? []) {
    const prefix = Subnet ? parsePrefix(Subnet) : undefined;
    if (Subnet && !prefix)
      doubt(`its subnet ${JSON.stringify(Subnet.slice(0, 60))} is none, and is passed over`);
    const isTooWide = prefix && !isBelievable(Subnet ?? '');
    if (isTooWide) {
      doubt(
        `its subnet ${Subnet} is wider than any network of Docker's: its addresses can be banned all the same`,
      );
    } else if (Subnet && prefix) subnets.push(Subnet);
    // Old engines write the gateway with the subnet's prefix length.
    const gateway = Gateway ? canonicalAddress(Gateway.replace(/\/.*/, '')) : undefined;
    if (!Gateway || isTooWide) continue;
    if (gateway === undefined)
      doubt(`its gateway ${JSON.stringify(Gateway.slice(0, 60))} is no address, and is passed over`);
    else if (prefix && !contains(prefixOf(prefix.address, prefix.bits), gateway)) {
      doubt(`its gateway ${gateway} is not in its subnet ${Subnet}, and is passed over`);
    } else gateways.push(gateway);
  }
  const parent = Options?.['parent'];
  return {
    network: {
      name: Name,
      driver: Driver ?? '',
      subnets,
      ...(typeof parent === 'string' && parent && { parent }),
      gateways,
    },
    problems,
  };
}
