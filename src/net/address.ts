import { isIP, isIPv4 } from 'node:net';

export type Family = 4 | 6;

/** An IP address in its one canonical spelling, or a prefix of addresses. */
export interface Prefix {
  readonly family: Family;
  readonly address: string;
  readonly bits: number;
}

/**
 * The canonical spelling of an IP address: IPv6 in RFC 5952's form, IPv4-mapped IPv6 (`::ffff:192.0.2.1`) as IPv4.
 * Undefined if `text` is no address. Zone indices (`fe80::1%eth0`) are refused: no ban can hold them.
 */
export function canonicalAddress(text: string): string | undefined {
  const kind = isIP(text);
  if (kind === 4) return text;
  if (kind === 0 || text.includes('%')) return undefined;
  // WHATWG URL serialises IPv6 hosts as RFC 5952 demands.
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(canonical);
  if (!mapped) return canonical;
  const high = Number.parseInt(mapped[1]!, 16);
  const low = Number.parseInt(mapped[2]!, 16);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The family of a canonical address or prefix. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

/**
 * Parses `192.0.2.1`, `192.0.2.0/24`, `192.0.2.0/255.255.255.0` or their IPv6 forms. Undefined if it is neither.
 * Bits below the prefix length are left as written: matching ignores them, as fail2ban does.
 */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = canonicalAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const family = familyOf(address);
  const widest = family === 4 ? 32 : 128;
  if (slash < 0) return { family, address, bits: widest };
  const suffix = text.slice(slash + 1);
  const bits = /^\d{1,3}$/.test(suffix) ? Number(suffix) : family === 4 ? bitsOfMask(suffix) : undefined;
  return bits === undefined || bits > widest ? undefined : { family, address, bits };
}

/**
 * The canonical text of an address or prefix: host bits are zero, and a prefix of full length is written as the address.
 * Undefined if `text` is neither.
 */
export function canonicalPrefix(text: string): string | undefined {
  const prefix = parsePrefix(text);
  return prefix && prefixOf(prefix.address, prefix.bits);
}

/** The prefix of `bits` bits that a canonical address is in, as canonical text; the address itself at full length. */
export function prefixOf(address: string, bits: number): string {
  const groups = groupsOf(address);
  if (bits >= groups.length * groupBits) return address;
  const network = groups.map((group, i) => group & maskOf(bits - i * groupBits));
  const text =
    groups.length === 2
      ? network.flatMap((group) => [group >> 8, group & 255]).join('.')
      : canonicalAddress(network.map((group) => group.toString(16)).join(':'))!;
  return `${text}/${bits}`;
}

/** Whether every address of `inner` is in `outer`; both are canonical addresses or prefixes. */
export function contains(outer: string, inner: string): boolean {
  return containsBlock(blockOf(outer), blockOf(inner));
}

/** Whether two canonical addresses or prefixes have an address in common. */
export function overlaps(a: string, b: string): boolean {
  const [first, second] = [blockOf(a), blockOf(b)];
  return containsBlock(first, second) || containsBlock(second, first);
}

/** A prefix, parsed for comparisons. */
interface Block {
  /** Of 16 bits each: 2 for IPv4, 8 for IPv6. */
  readonly groups: readonly number[];
  readonly bits: number;
}

const groupBits = 16;

function blockOf(text: string): Block {
  const slash = text.indexOf('/');
  const groups = groupsOf(slash < 0 ? text : text.slice(0, slash));
  return { groups, bits: slash < 0 ? groups.length * groupBits : Number(text.slice(slash + 1)) };
}

function containsBlock(outer: Block, inner: Block): boolean {
  return (
    outer.bits <= inner.bits &&
    outer.groups.length === inner.groups.length &&
    outer.groups.every((group, i) => ((group ^ inner.groups[i]!) & maskOf(outer.bits - i * groupBits)) === 0)
  );
}

/** The bits of a group that belong to a prefix. @param bits of the prefix, from this group on; may be negative, or more than it has */
function maskOf(bits: number): number {
  return (0xffff_0000 >>> Math.min(groupBits, Math.max(0, bits))) & 0xffff;
}

/** Reads a canonical address. */
function groupsOf(address: string): number[] {
  if (!address.includes(':')) {
    const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  }
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(8 - front.length - back.length).fill('0');
  return [...front, ...zeros, ...back].map((group) => Number.parseInt(group, 16));
}

function bitsOfMask(mask: string): number | undefined {
  if (!isIPv4(mask)) return undefined;
  const binary = mask
    .split('.')
    .map((octet) => Number(octet).toString(2).padStart(8, '0'))
    .join('');
  return /^1*0*$/.test(binary) ? binary.lastIndexOf('1') + 1 : undefined;
}
