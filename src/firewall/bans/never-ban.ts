import { BlockList } from 'node:net';
import { canonicalPrefix, familyOf, overlaps, parsePrefix, prefixOf } from '../../net/address.ts';
import { prefixCover } from '../../net/prefix-cover.ts';
import type { NeverBanKind } from '../firewall.ts';

export interface NeverBanReason {
  readonly kind: NeverBanKind;
  /** For people: `it is an address of this host`; of a prefix, `it overlaps 192.0.2.1, an address of this host`. */
  readonly text: string;
}

/** Addresses that are this host, or Docker's own. Addresses and prefixes, as text. */
export interface OwnAddresses {
  readonly host: readonly string[];
  readonly gateways: readonly string[];
  readonly dockerSubnets: readonly string[];
}

/** Whom no jail bans. */
export interface NeverBanned extends OwnAddresses {
  /** Whom the operator names for all jails, by --ignoreip. */
  readonly ignored?: readonly string[];
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

/** Addresses that must not be banned for one reason. */
interface Protected {
  readonly kind: NeverBanKind;
  /** For people: what is said of one of them. */
  readonly one: string;
  /** For people: what each of the entries is; `it overlaps ENTRY, …`. */
  readonly entry: string;
  /** Canonical addresses and prefixes. */
  readonly entries: readonly string[];
  readonly list: BlockList;
}

/**
 * The addresses whose ban would cut off this host, its containers, or everyone who reaches them through Docker's proxy.
 * What is neither address nor prefix is passed over.
 */
export class NeverBan {
  readonly #protected: readonly Protected[];
  /** All of them: nearly every address is in none. */
  readonly #any: BlockList;
  #own: readonly string[] | undefined;
  /** By prefix length, as lengths are asked for. */
  readonly #around = new Map<number, ReadonlySet<string>>();

  constructor({ host, gateways, dockerSubnets, ignored = [] }: NeverBanned) {
    const hidden = 'behind which the real client is hidden';
    this.#protected = [
      protect('loopback', ['127.0.0.0/8', '::1'], 'it is a loopback address', 'loopback'),
      protect(
        'special',
        special,
        'it is a link-local, multicast, broadcast or unspecified address',
        'which is link-local, multicast, broadcast or unspecified',
      ),
      // Before `host`: a bridge's gateway is an address of the host, but what matters is that it hides the client.
      protect(
        'gateway',
        gateways,
        `it is a Docker network's gateway, ${hidden}`,
        `a Docker network's gateway, ${hidden}`,
      ),
      protect('host', host, 'it is an address of this host', 'an address of this host'),
      protect('docker-network', dockerSubnets, 'it belongs to a Docker network', 'a Docker network'),
      protect('ignoreip', ignored, 'it is in --ignoreip', 'which is in --ignoreip'),
    ];
    this.#any = listOf(this.#protected.flatMap(({ entries }) => entries));
  }

  /** @param ip a canonical address or prefix  @returns undefined: it may be banned */
  find(ip: string): NeverBanReason | undefined {
    if (ip.includes('/')) return this.#overlapping(ip);
    const family = `ipv${familyOf(ip)}` as const;
    if (!this.#any.check(ip, family)) return undefined;
    const found = this.#protected.find(({ list }) => list.check(ip, family));
    return found && { kind: found.kind, text: found.one };
  }

  /**
   * The addresses and prefixes of this host and of Docker's networks, none within another. Without link-local ones: every interface has
   * some, and so have the neighbours in the same network.
   */
  get own(): readonly string[] {
    this.#own ??= prefixCover(
      this.#protected
        .filter(({ kind }) => kind !== 'special' && kind !== 'ignoreip')
        .flatMap(({ entries }) => entries)
        .filter((entry) => !special.some((each) => overlaps(each, entry))),
    );
    return this.#own;
  }

  #overlapping(prefix: string): NeverBanReason | undefined {
    const slash = prefix.indexOf('/');
    const address = prefix.slice(0, slash);
    // Bans of a great many prefixes are asked for one by one: nearly all of them end here.
    const mayOverlap =
      this.#any.check(address, `ipv${familyOf(prefix)}`) ||
      this.#prefixesAround(Number(prefix.slice(slash + 1))).has(prefix);
    if (!mayOverlap) return undefined;
    for (const { kind, entry: what, entries } of this.#protected) {
      const entry = entries.find((each) => overlaps(prefix, each));
      if (entry !== undefined) return { kind, text: `it overlaps ${entry}, ${what}` };
    }
    return undefined;
  }

  /** The prefixes of a length that have entries within them. */
  #prefixesAround(bits: number): ReadonlySet<string> {
    let prefixes = this.#around.get(bits);
    if (!prefixes) {
      const entries = this.#protected.flatMap((each) =>
        each.entries.flatMap((text) => parsePrefix(text) ?? []),
      );
      const within = entries.filter((entry) => entry.bits >= bits);
      this.#around.set(bits, (prefixes = new Set(within.map(({ address }) => prefixOf(address, bits)))));
    }
    return prefixes;
  }
}

function protect(kind: NeverBanKind, texts: readonly string[], one: string, entry: string): Protected {
  const entries = [...new Set(texts.flatMap((text) => canonicalPrefix(text) ?? []))];
  return { kind, one, entry, entries, list: listOf(entries) };
}

function listOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const { address, bits, family } of entries.flatMap((text) => parsePrefix(text) ?? []))
    list.addSubnet(address, bits, `ipv${family}`);
  return list;
}
