import type { ListedNetwork } from './engine-answers.ts';
import type { NetworkSnapshot } from './snapshot.ts';

export function networkSnapshot({ Name, Driver, IPAM, Options }: ListedNetwork): NetworkSnapshot {
  const pools = IPAM?.Config ?? [];
  return {
    name: Name,
    driver: Driver,
    subnets: pools.flatMap(({ Subnet }) => (Subnet ? [Subnet] : [])),
    // Old engines write the gateway with the subnet's prefix length.
    ...(Options?.['parent'] && { parent: Options['parent'] }),
    gateways: pools.flatMap(({ Gateway }) => (Gateway ? [Gateway.replace(/\/.*/, '')] : [])),
  };
}
