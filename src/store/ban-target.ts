import { type Prefix, parsePrefix } from '../address.ts';

/**
 * The one spelling of an address or prefix that a ban can hold: prefixes without host bits, a prefix of one address as the
 * address. Undefined if `text` is neither.
 */
export function canonicalTarget(text: string): string | undefined {
  const prefix = parsePrefix(text);
  if (!prefix) return undefined;
  const { family, address, bits } = prefix;
  if (bits === (family === 4 ? 32 : 128)) return address;
  return `${networkOf(prefix)}/${bits}`;
}

function networkOf({ family, address, bits }: Prefix): string {
  const [units, width] = family === 4 ? [address.split('.').map(Number), 8] : [groupsOf(address), 16];
  const masked = units.map((unit, index) => {
    const kept = Math.min(width, Math.max(0, bits - index * width));
    return unit & ~(2 ** (width - kept) - 1);
  });
  if (family === 4) return masked.join('.');
  const text = masked.map((group) => group.toString(16)).join(':');
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

/** The eight groups of a canonical IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = parse(head);
  if (tail === undefined) return before;
  const after = parse(tail);
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}
