import { BlockList } from 'node:net';
import { familyOf, parsePrefix } from '../address.ts';

export type NeverBanKind = 'loopback' | 'host' | 'gateway' | 'docker-network' | 'special';

export interface NeverBanReason {
  readonly kind: NeverBanKind;
  /** For people: `it is a gateway of a Docker network …`. */
  readonly text: string;
}

/** Addresses that are this host, or Docker's own. Addresses and prefixes, as text. */
export interface OwnAddresses {
  readonly host: readonly string[];
  readonly gateways: readonly string[];
  readonly dockerSubnets: readonly string[];
}

const special = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255',
  '::',
  // Neighbour discovery and router advertisements come from here: without them IPv6 stops.
  'fe80::/10',
  'ff00::/8',
];

/**
 * The addresses whose ban would cut off this host, its containers, or everyone who reaches them through Docker's proxy.
 * What is neither address nor prefix is passed over.
 */
export class NeverBan {
  readonly #lists: readonly (readonly [BlockList, NeverBanReason])[];

  constructor({ host, gateways, dockerSubnets }: OwnAddresses) {
    this.#lists = [
      [listOf(['127.0.0.0/8', '::1']), { kind: 'loopback', text: 'it is a loopback address' }],
      [
        listOf(special),
        { kind: 'special', text: 'it is a link-local, multicast, broadcast or unspecified address' },
      ],
      // Before `host`: a bridge's gateway is an address of the host, but what matters is that it hides the client.
      [
        listOf(gateways),
        { kind: 'gateway', text: "it is a Docker network's gateway, behind which the real client is hidden" },
      ],
      [listOf(host), { kind: 'host', text: 'it is an address of this host' }],
      [listOf(dockerSubnets), { kind: 'docker-network', text: 'it belongs to a Docker network' }],
    ];
  }

  /** @param ip a canonical address  @returns undefined: it may be banned */
  find(ip: string): NeverBanReason | undefined {
    const family = `ipv${familyOf(ip)}` as const;
    return this.#lists.find(([list]) => list.check(ip, family))?.[1];
  }
}

function listOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const prefix = parsePrefix(entry);
    if (prefix) list.addSubnet(prefix.address, prefix.bits, `ipv${prefix.family}`);
  }
  return list;
}
