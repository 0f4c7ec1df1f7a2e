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

/** The family of a canonical address. */
export function familyOf(address: string): Family {
  return isIPv4(address) ? 4 : 6;
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

function bitsOfMask(mask: string): number | undefined {
  if (!isIPv4(mask)) return undefined;
  const binary = mask
    .split('.')
    .map((octet) => Number(octet).toString(2).padStart(8, '0'))
    .join('');
  return /^1*0*$/.test(binary) ? binary.lastIndexOf('1') + 1 : undefined;
}
