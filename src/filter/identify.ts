import { canonicalAddress, canonicalPrefix, prefixOf } from '../net/address.ts';
import type { Captures } from './filter-regex.ts';

/** Whom a failure concerns. */
export type Identity =
  /** An address, a prefix or any other identifier, ready to be counted. */
  | { readonly kind: 'id'; readonly id: string; readonly ip: string | undefined }
  /** A DNS name, to be resolved or passed over. */
  | { readonly kind: 'name'; readonly name: string }
  /** A session whose address isn't known yet. */
  | { readonly kind: 'unknown' };

/** Reads the id to ban from a failure's captures: fid, ip4, ip6, dns, in that order of rank. */
export function identify(fields: Captures): Identity {
  const fid = textOf(fields['fid']);
  const address = textOf(fields['ip4'] ?? fields['ip6']);
  if (address !== undefined) {
    const ip = withCidr(address, fields['cidr']);
    if (fid === undefined || fid === address) return { kind: 'id', id: ip, ip: undefined };
    return { kind: 'id', id: canonicalId(fid), ip };
  }
  const name = textOf(fields['dns']);
  if (name !== undefined) return { kind: 'name', name };
  if (fid !== undefined) return { kind: 'id', id: canonicalId(fid), ip: undefined };
  return { kind: 'unknown' };
}

/** A name may still be an address: `<DNS>` captures both. */
export function addressInName(name: string): string | undefined {
  return canonicalAddress(name.replace(/^\[(.*)\]$/, '$1'));
}

/** Several parts are written as fail2ban writes them, as a Python tuple. */
function textOf(capture: Captures[string]): string | undefined {
  if (capture === undefined || typeof capture === 'string') return capture;
  const parts = capture.map((part) => (part === undefined ? 'None' : `'${part}'`));
  return `(${parts.join(', ')})`;
}

/** An id that is an address or a prefix in its canonical form, as fail2ban's IPAddr has it; others stay. */
function canonicalId(id: string): string {
  return canonicalAddress(id) ?? canonicalPrefix(id) ?? id;
}

function withCidr(address: string, cidr: Captures[string]): string {
  const canonical = canonicalAddress(address);
  if (canonical === undefined) return address;
  return typeof cidr === 'string' && cidr !== '' ? prefixOf(canonical, Number(cidr)) : canonical;
}

const addressGroups = ['ip4', 'ip6', 'dns', 'cidr'] as const;

/** The address that prefregex captured stands where the failregex's own took no part. */
export function restoreAddress(fields: Captures, prefix: Captures): void {
  if (addressGroups.some((name) => fields[name] !== undefined)) return;
  for (const name of addressGroups) if (prefix[name] !== undefined) fields[name] = prefix[name];
}
