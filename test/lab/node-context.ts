import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached, recipeHash } from './cache.ts';

/** npm's major version that comes with Node 24. */
const npmPackage = 'npm@11';

const systemBundle = '/etc/ssl/certs/ca-certificates.crt';

/** The hash of what the stand-in for Node's image is made of, apart from its Dockerfile and base. */
export async function nodeContextHash(): Promise<string> {
  return recipeHash(process.version, process.arch, npmPackage, (await machineAuthorities()) ?? '');
}

/** Puts Node (the one that runs this) and npm into a build context. */
export async function makeNodeContext(folder: string): Promise<void> {
  await mkdir(join(folder, 'etc'), { recursive: true });
  await copyFile(process.execPath, join(folder, 'node'));
  const archive = await cached('npm', recipeHash(npmPackage), async (draft) => {
    const work = `${draft}.work`;
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true });
    const { stdout } = await execa('npm', ['pack', npmPackage, '--silent'], { cwd: work });
    await copyFile(join(work, stdout.trim()), draft);
    await rm(work, { recursive: true, force: true });
  });
  await execa('tar', ['-C', folder, '--no-same-owner', '--transform', 's/^package/npm/', '-xzf', archive]);
  const authorities = await machineAuthorities();
  if (authorities === undefined) return;
  await writeFile(join(folder, 'etc/machine-ca.crt'), authorities);
  await writeFile(join(folder, 'etc/npmrc'), 'cafile=/usr/local/etc/machine-ca.crt\n');
}

/** Certificate authorities that the machine trusts: by its own bundle, as Debian's Node does, and by what the environment names. */
async function machineAuthorities(): Promise<string | undefined> {
  const named = [process.env['NODE_EXTRA_CA_CERTS'], process.env['SSL_CERT_FILE']].filter(Boolean);
  const files = new Set([systemBundle, ...named.map(String)]);
  const texts = await Promise.all([...files].map(async (file) => readFile(file, 'utf8').catch(() => '')));
  const authorities = texts.filter((text) => text !== '').join('\n');
  return authorities === '' ? undefined : authorities;
}
