import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type AptSettings, deb822 } from './apt.ts';
import { cached, recipeHash } from './cache.ts';

/** Debian 12 has only version 1; a later release's version 2 is one Go binary that runs on Debian 12 as it is. */
const suite = 'forky';
const packageName = 'docker-compose';

/**
 * Docker compose version 2 from Debian's archive.
 *
 * @returns the path of the binary
 */
export async function composeBinary(apt: AptSettings, report: (text: string) => void): Promise<string> {
  return cached('compose', recipeHash(suite, packageName, apt.mirror), async (draft) => {
    report('fetching docker compose (once)');
    const work = `${draft}.work`;
    await rm(work, { recursive: true, force: true });
    await mkdir(join(work, 'lists/partial'), { recursive: true });
    await mkdir(join(work, 'cache/archives/partial'), { recursive: true });
    const archive = { uri: apt.mirror, suite, components: 'main' };
    await writeFile(join(work, 'debian.sources'), deb822(archive, apt.keyring));
    const options = [
      `Dir::Etc::SourceList=${join(work, 'debian.sources')}`,
      'Dir::Etc::SourceParts=-',
      `Dir::State::Lists=${join(work, 'lists')}`,
      `Dir::Cache=${join(work, 'cache')}`,
      'APT::Sandbox::User=root',
      'Acquire::Languages=none',
    ].flatMap((option) => ['-o', option]);
    await execa('apt-get', [...options, 'update', '-qq'], { cwd: work });
    await execa('apt-get', [...options, 'download', '-qq', packageName], { cwd: work });
    const { stdout } = await execa('find', [work, '-maxdepth', '1', '-name', '*.deb']);
    await execa('dpkg', ['-x', stdout, join(work, 'root')]);
    const binary = await execa('find', [join(work, 'root'), '-type', 'f', '-name', 'docker-compose']);
    await copyFile(binary.stdout.split('\n')[0]!, draft);
    await chmod(draft, 0o755);
    await rm(work, { recursive: true, force: true });
  });
}
