import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AptSettings } from './apt.ts';
import { cached, recipeHash } from './cache.ts';
import { debootstrap } from './debootstrap.ts';

/** The engine and its client, and what the host of a lab runs beside them. */
const included = [
  'ca-certificates',
  'conntrack',
  'docker-cli',
  'docker.io',
  'ipset',
  'iproute2',
  'iptables',
  'nftables',
  'procps',
  'rsyslog',
];

/** Takes a third of the space and is of no use to a host. */
const leftOut = ['usr/share/doc', 'usr/share/locale', 'usr/share/man', 'var/cache/apt', 'var/lib/apt/lists'];

/**
 * A host's root file system of a later release of Debian, with its Docker engine. Made by debootstrap once and kept; a lab uses it through an
 * overlay and leaves it as it is.
 *
 * @param suite `trixie`, `forky`
 * @returns its folder
 */
export async function engineRoot(
  suite: string,
  apt: AptSettings,
  report: (text: string) => void,
): Promise<string> {
  const hash = recipeHash(suite, included.join(), leftOut.join(), apt.mirror, process.arch);
  return cached(`root-${suite}`, hash, async (draft) => {
    report(`making a root file system of Debian ${suite} with its Docker engine (once)`);
    await rm(draft, { recursive: true, force: true });
    // Debian 12's debootstrap need not know the release by name: all later ones are made as unstable is.
    await debootstrap(apt, { suite, script: 'sid', root: draft, included });
    for (const folder of leftOut) await empty(join(draft, folder));
  });
}

async function empty(folder: string): Promise<void> {
  const entries: string[] = await readdir(folder).catch(() => []);
  for (const entry of entries) await rm(join(folder, entry), { recursive: true, force: true });
}
