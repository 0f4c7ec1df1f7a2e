import { execa } from 'execa';
import type { HostNamespace } from './namespace.ts';

/** Where the new root is put together, in the host's own mount namespace. */
const workshop = '/mnt';

export interface NewRoot {
  /** A folder of the machine with a root file system. It is the lower layer of an overlay: what the host writes ends with it. */
  readonly folder: string;
  /** Folders that stay where they are, with what is mounted below them; made if the new root lacks them. */
  readonly kept: readonly string[];
  /** Folders of the machine to be put in place of folders of the host. */
  readonly directories: Readonly<Record<string, string>>;
}

/**
 * Gives the host another root file system: whatever is started inside from now on runs on another release's programs and libraries, and sees
 * nothing of the machine but the folders that are named.
 */
export async function changeRoot(
  namespace: HostNamespace,
  { folder, kept, directories }: NewRoot,
): Promise<void> {
  const run = async (...argv: string[]): Promise<void> => void (await execa(...namespace.command(argv)));
  const root = `${workshop}/root`;
  await run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', workshop);
  await run('mkdir', `${workshop}/upper`, `${workshop}/work`, root);
  const layers = `lowerdir=${folder},upperdir=${workshop}/upper,workdir=${workshop}/work`;
  await run('mount', '-t', 'overlay', '-o', layers, 'overlay', root);
  const binds = [...kept.map((path) => [path, path] as const), ...Object.entries(directories)];
  for (const [inside, outside] of binds) {
    await run('mkdir', '-p', `${root}${inside}`);
    await run('mount', '--rbind', outside, `${root}${inside}`);
  }
  await run('pivot_root', root, `${root}${workshop}`);
  await run('umount', '--lazy', workshop);
}
