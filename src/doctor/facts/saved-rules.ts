import { readFile } from 'node:fs/promises';

/** A file that a service of the host loads at boot. */
export interface SavedRules {
  readonly path: string;
  readonly text: string;
}

/** Where netfilter-persistent (Debian), iptables-services (Fedora) and nftables.service keep rules. */
const places = [
  '/etc/iptables/rules.v4',
  '/etc/iptables/rules.v6',
  '/etc/sysconfig/iptables',
  '/etc/sysconfig/ip6tables',
  '/etc/nftables.conf',
  '/etc/sysconfig/nftables.conf',
];

/** Those that are there and can be read; in a container, that are mounted. */
export async function readSavedRules(paths: readonly string[] = places): Promise<SavedRules[]> {
  const read = paths.map(async (path) => {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    return text === undefined ? [] : [{ path, text }];
  });
  return (await Promise.all(read)).flat();
}
