import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type AptSettings, release } from './apt.ts';
import { cached, recipeHash } from './cache.ts';
import { debootstrap } from './debootstrap.ts';

const included = 'ca-certificates';
const leftOut = ['./dev/*', './proc/*', './sys/*', './var/cache/apt/archives/*.deb', './var/lib/apt/lists/*'];

/** The hash of all that the base image is made of. */
export function baseImageHash(apt: AptSettings): string {
  return recipeHash(
    'base',
    release,
    included,
    leftOut.join(),
    apt.mirror,
    apt.sources,
    apt.conf,
    process.arch,
  );
}

/**
 * A root file system of Debian 12, made by debootstrap once and kept.
 *
 * @returns the path of a tar file that `docker import` takes
 */
export async function baseImage(apt: AptSettings, report: (text: string) => void): Promise<string> {
  return cached('base', baseImageHash(apt), async (draft) => {
    report('making the Debian base image (once)');
    const root = `${draft}.root`;
    await rm(root, { recursive: true, force: true });
    await debootstrap(apt, { suite: release, root, included: [included] });
    const etc = join(root, 'etc/apt');
    await writeFile(join(etc, 'sources.list'), '');
    await writeFile(join(etc, 'sources.list.d/debian.sources'), apt.sources);
    await writeFile(join(etc, 'apt.conf.d/90machine'), apt.conf);
    const excludes = leftOut.map((pattern) => `--exclude=${pattern}`);
    await execa('tar', ['-C', root, '--numeric-owner', ...excludes, '-cf', draft, '.']);
    await rm(root, { recursive: true, force: true });
  });
}
