import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { canonicalAddress } from '../../net/address.ts';
import type { Watch } from '../firewall.ts';

/** Of one line of /proc/net/nf_conntrack: who opened the connection, and to which port. */
const original = /^\S+\s+\d+\s+(tcp|udp)\s.*?\bsrc=(\S+) dst=\S+ sport=\d+ dport=(\d+) /;

/**
 * Of some addresses, those with a connection to watched ports that was answered, by the kernel's table of connections.
 * Undefined: this kernel doesn't show its table.
 * @param procNet `/proc/net` of the network namespace
 */
export async function connected(
  addresses: ReadonlySet<string>,
  { ports }: Watch,
  procNet: string,
): Promise<ReadonlySet<string> | undefined> {
  const found = new Set<string>();
  const look = (line: string): void => {
    if (!line.includes('[ASSURED]')) return;
    const [, protocol, source = '', port = ''] = original.exec(line) ?? [];
    const isWatched = ports.some(
      ({ protocol: each, first, last }) => each === protocol && first <= Number(port) && Number(port) <= last,
    );
    const address = isWatched ? canonicalAddress(source) : undefined;
    if (address !== undefined && addresses.has(address)) found.add(address);
  };
  try {
    let rest = '';
    for await (const piece of createReadStream(join(procNet, 'nf_conntrack'), 'latin1')) {
      const lines = (rest + String(piece)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) look(line);
    }
    return found;
  } catch {
    return undefined;
  }
}
