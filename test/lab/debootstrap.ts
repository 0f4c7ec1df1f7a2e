import { mkdir } from 'node:fs/promises';
import { execa } from 'execa';
import type { AptSettings } from './apt.ts';

/** debootstrap mounts file systems below its target: in namespaces that end with it, even if it is killed. */
const contained = '--pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc'.split(' ');

/** What debootstrap makes. */
export interface Bootstrap {
  readonly suite: string;
  /** The name of debootstrap's script, if it isn't the suite's. */
  readonly script?: string;
  /** The folder to be made. */
  readonly root: string;
  /** Packages beside the essential ones. */
  readonly included: readonly string[];
}

/**
 * Makes a small root file system of Debian.
 *
 * @throws execa's error with debootstrap's output
 */
export async function debootstrap(
  apt: AptSettings,
  { suite, script, root, included }: Bootstrap,
): Promise<void> {
  await mkdir(root, { recursive: true });
  const options = ['--variant=minbase', `--include=${included.join()}`, `--keyring=${apt.keyring}`];
  const env = apt.proxy === undefined ? {} : { http_proxy: apt.proxy };
  const command = ['debootstrap', ...options, suite, root, apt.mirror, ...(script ? [script] : [])];
  await execa('setpriv', [...contained, ...command], { env, all: true });
}
