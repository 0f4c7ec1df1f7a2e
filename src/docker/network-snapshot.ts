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
    const fix = 'check it with docker network inspect; remove the network if this is not intended';
    problems.push({ where: `network ${Name.slice(0, longestName)}`, message, fix });
  };
  for (const { Subnet, Gateway } of IPAM?.Config ?? []) {
    const prefix = Subnet ? parsePrefix(Subnet) : undefined;
    if (Subnet && !prefix) doubt(`invalid subnet ${JSON.stringify(Subnet.slice(0, 60))}, skipped`);
    const isTooWide = prefix && !isBelievable(Subnet ?? '');
    if (isTooWide) {
      doubt(`subnet ${Subnet} is too wide for a Docker network: its addresses can still be banned`);
    } else if (Subnet && prefix) subnets.push(Subnet);
    // Old engines write the gateway with the subnet's prefix length.
    const gateway = Gateway ? canonicalAddress(Gateway.replace(/\/.*/, '')) : undefined;
    if (!Gateway || isTooWide) continue;
    if (gateway === undefined) doubt(`invalid gateway ${JSON.stringify(Gateway.slice(0, 60))}, skipped`);
    else if (prefix && !contains(prefixOf(prefix.address, prefix.bits), gateway)) {
      doubt(`gateway ${gateway} is outside of its subnet ${Subnet}, skipped`);
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
