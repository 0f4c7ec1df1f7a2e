import { contains, prefixOf } from '../net/address.ts';

/**
 * IPv6 prefixes whose addresses stand for other ones, so that neighbours in a /64 are different parties: NAT64 and SIIT
 * (RFC 6052, 8215, 7915), Teredo (RFC 4380).
 */
const translated = ['64:ff9b::/96', '64:ff9b:1::/48', '::ffff:0:0:0/96', '2001::/32'] as const;

/**
 * Whom an address counts as: itself, or, over IPv6, the prefix that one party has to itself. A prefix that also holds an address
 * which must not be banned stands for nobody: then the address counts for itself. So does a prefix that was banned as such.
 *
 * @param address canonical address or prefix
 * @param ipv6prefix bits; 128: every address for itself
 * @param isProtected whether a prefix has an address that must not be banned
 */
export function offenderOf(
  address: string,
  ipv6prefix: number,
  isProtected: (prefix: string) => boolean,
): string {
  if (ipv6prefix === 128 || !address.includes(':') || address.includes('/')) return address;
  const prefix = prefixOf(address, ipv6prefix);
  return isProtected(prefix) || translated.some((each) => contains(each, address)) ? address : prefix;
}
