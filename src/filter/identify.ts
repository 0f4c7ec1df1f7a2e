import { canonicalAddress, familyOf } from '../address.ts';
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
    const ip = canonicalPrefix(address, fields['cidr']);
    if (fid === undefined || fid === address) return { kind: 'id', id: ip, ip: undefined };
    return { kind: 'id', id: canonicalAddress(fid) ?? fid, ip };
  }
  const name = textOf(fields['dns']);
  if (name !== undefined) return { kind: 'name', name };
  if (fid !== undefined) return { kind: 'id', id: canonicalAddress(fid) ?? fid, ip: undefined };
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

function canonicalPrefix(address: string, cidr: Captures[string]): string {
  const canonical = canonicalAddress(address);
  if (canonical === undefined) return address;
  const bits = typeof cidr === 'string' && cidr !== '' ? Number(cidr) : undefined;
  const widest = familyOf(canonical) === 4 ? 32 : 128;
  if (bits === undefined || bits >= widest) return canonical;
  return `${networkOf(canonical, bits)}/${bits}`;
}

/** A canonical address with all bits behind the prefix cleared. */
function networkOf(address: string, bits: number): string {
  if (familyOf(address) === 4) {
    const octets = address.split('.').map((octet, i) => {
      const kept = Math.min(8, Math.max(0, bits - 8 * i));
      return Number(octet) & (0xff00 >> kept) & 0xff;
    });
    return octets.join('.');
  }
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(8 - front.length - back.length).fill('0');
  const words = [...front, ...zeros, ...back].map((word, i) => {
    const kept = Math.min(16, Math.max(0, bits - 16 * i));
    return (Number.parseInt(word, 16) & (0xffff0000 >>> kept) & 0xffff).toString(16);
  });
  return canonicalAddress(words.join(':'))!;
}
