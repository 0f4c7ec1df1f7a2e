import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** One archive of the machine's apt sources. */
interface Archive {
  readonly uri: string;
  readonly suite: string;
  readonly components: string;
  readonly signedBy: string | undefined;
}

/** Debian 12, which every image of the lab is made of. */
export const release = 'bookworm';

/** What the machine's own apt configuration says about Debian's archive; the lab fetches packages as the machine does. */
export interface AptSettings {
  readonly mirror: string;
  readonly keyring: string;
  /** A sources file in deb822 format with the release's archives. */
  readonly sources: string;
  /** An apt.conf with the settings for fetching (proxies, retries, validity checks). */
  readonly conf: string;
  readonly proxy: string | undefined;
}

const standardKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** @throws if the machine has no apt source for Debian 12 */
export async function aptSettings(): Promise<AptSettings> {
  const archives = (await readArchives()).filter((archive) => archive.suite.startsWith(release));
  const main = archives.find((archive) => archive.suite === release);
  if (!main) {
    throw new Error(
      `no apt source for ${release} in /etc/apt: the lab takes Debian's packages from the machine's own mirror`,
    );
  }
  const keyring = main.signedBy?.startsWith('/') ? main.signedBy : standardKeyring;
  const dump = (await execa('apt-config', ['dump'])).stdout.split('\n');
  const fetching = dump.filter((line) =>
    /^Acquire::(?:https?::(?:Proxy|CAInfo|Verify)|ftp::Proxy|Check-Valid-Until|Check-Date|Retries)/i.test(
      line,
    ),
  );
  const proxyLine = dump.find((line) => /^Acquire::http::Proxy "[^"]/i.test(line));
  return {
    mirror: main.uri,
    keyring,
    sources: archives.map((archive) => deb822(archive, keyring)).join('\n'),
    conf: `${fetching.join('\n')}\nAPT::Install-Recommends "false";\nAcquire::Languages "none";\n`,
    proxy: proxyLine === undefined ? undefined : /"([^"]+)"/.exec(proxyLine)?.[1],
  };
}

/** A sources file in deb822 format. */
export function deb822(archive: Omit<Archive, 'signedBy'>, keyring: string): string {
  return `Types: deb\nURIs: ${archive.uri}\nSuites: ${archive.suite}\nComponents: ${archive.components}\nSigned-By: ${keyring}\n`;
}

async function readArchives(): Promise<Archive[]> {
  const folder = '/etc/apt/sources.list.d';
  const entries: string[] = await readdir(folder).catch(() => []);
  const names = entries.toSorted();
  const files = ['/etc/apt/sources.list', ...names.map((name) => join(folder, name))];
  const archives: Archive[] = [];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (file.endsWith('.list')) archives.push(...parseOneLine(text));
    else if (file.endsWith('.sources')) archives.push(...parseDeb822(text));
  }
  return archives;
}

function parseOneLine(text: string): Archive[] {
  return text.split('\n').flatMap((line) => {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line.trim());
    if (!match) return [];
    const signedBy = /signed-by=(\S+)/.exec(match[1] ?? '')?.[1];
    return [{ uri: match[2]!, suite: match[3]!, components: match[4]!.trim(), signedBy }];
  });
}

function parseDeb822(text: string): Archive[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    for (const line of stanza.split('\n')) {
      const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
      if (match) fields.set(match[1]!.toLowerCase(), match[2]!.trim());
    }
    const words = (name: string): string[] => (fields.get(name) ?? '').split(/\s+/).filter(Boolean);
    if (!words('types').includes('deb') || fields.get('enabled') === 'no') return [];
    return words('uris').flatMap((uri) =>
      words('suites').map((suite) => ({
        uri,
        suite,
        components: words('components').join(' '),
        signedBy: fields.get('signed-by') || undefined,
      })),
    );
  });
}
