import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type AptSettings, release } from './apt.ts';
import { cached, recipeHash } from './cache.ts';

const included = 'ca-certificates';
const leftOut = ['./dev/*', './proc/*', './sys/*', './var/cache/apt/archives/*.deb', './var/lib/apt/lists/*'];

/** debootstrap mounts file systems below its target: in namespaces that end with it, even if it is killed. */
const contained = '--pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc'.split(' ');

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
    await mkdir(root, { recursive: true });
    const options = ['--variant=minbase', `--include=${included}`, `--keyring=${apt.keyring}`];
    const env = apt.proxy === undefined ? {} : { http_proxy: apt.proxy };
    const debootstrap = ['debootstrap', ...options, release, root, apt.mirror];
    await execa('setpriv', [...contained, ...debootstrap], { env, all: true });
    const etc = join(root, 'etc/apt');
    await writeFile(join(etc, 'sources.list'), '');
    await writeFile(join(etc, 'sources.list.d/debian.sources'), apt.sources);
    await writeFile(join(etc, 'apt.conf.d/90machine'), apt.conf);
    const excludes = leftOut.map((pattern) => `--exclude=${pattern}`);
    await execa('tar', ['-C', root, '--numeric-owner', ...excludes, '-cf', draft, '.']);
    await rm(root, { recursive: true, force: true });
  });
}
