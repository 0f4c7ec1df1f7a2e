import { parsePrefix } from '../../net/address.ts';
import { invalid } from '../conf/config-error.ts';

/** `ignoreip`, sorted by what its entries are. */
export interface IgnoreIp {
  /** Addresses and prefixes. */
  readonly prefixes: readonly string[];
  /** DNS names and other identifiers. */
  readonly names: readonly string[];
  /** Paths of `file:` entries. */
  readonly files: readonly string[];
}

/**
 * Parses addresses, prefixes, DNS names, identifiers and `file:/path`, between spaces, commas or lines.
 *
 * @throws ConfigError for an entry that is meant to be an address and is none
 */
export function parseIgnoreIp(text: string): IgnoreIp {
  const prefixes: string[] = [];
  const names: string[] = [];
  const files: string[] = [];
  for (const entry of text.split(/[\s,]+/)) {
    if (entry === '') continue;
    if (entry.startsWith('file:')) files.push(filePath(entry));
    else if (parsePrefix(entry)) prefixes.push(entry);
    else if (looksLikeAddress(entry))
      throw invalid(
        'address or network',
        entry,
        'write 192.0.2.7, 192.0.2.0/24, 2001:db8::/32 or a DNS name',
      );
    else names.push(entry);
  }
  return { prefixes, names, files };
}

function filePath(entry: string): string {
  const path = entry.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
  if (path.startsWith('/')) return path;
  throw invalid('path', entry, 'write an absolute one: file:/etc/dock2ban/ignore.txt');
}

function looksLikeAddress(entry: string): boolean {
  return entry.includes('/') || /^[\d.]+$/.test(entry) || /^[\da-f:.]*:[\da-f:.]*$/i.test(entry);
}
