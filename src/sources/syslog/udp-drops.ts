import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';

/**
 * Datagrams that the kernel dropped because the buffer of the socket bound to an address was full: the column `drops` of
 * /proc/net/udp or /proc/net/udp6. Undefined if there is no such socket.
 * @param table text of the file for the address's family
 * @param host canonical IP address
 */
export function kernelDrops(table: string, host: string, port: number): number | undefined {
  const local = `${addressHex(host)}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const row of table.split('\n')) {
    const fields = row.trim().split(/\s+/);
    if (fields[1] === local) return Number(fields.at(-1));
  }
  return undefined;
}

/** The kernel prints each 32 bits of an address as a number of the machine's own byte order. */
function addressHex(host: string): string {
  const words = isIPv4(host) ? [octets(host)] : ipv6Words(host);
  return words
    .map((word) => (endianness() === 'LE' ? word.toReversed() : word))
    .map((word) => Buffer.from(word).toString('hex').toUpperCase())
    .join('');
}

function octets(address: string): number[] {
  return address.split('.').map(Number);
}

function ipv6Words(address: string): number[][] {
  const [head = '', tail] = address.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - before.length - after.length }, () => '0');
  const bytes = [...before, ...zeros, ...after].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
  return [0, 4, 8, 12].map((at) => bytes.slice(at, at + 4));
}
