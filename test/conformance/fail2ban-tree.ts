import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';

/** A fail2ban tree to compare with. It is GPL: read and run, never copied into this repository. */
export interface Fail2banTree {
  /** Its configuration: `jail.conf`, `filter.d`, … */
  readonly config: string;
  /** Its annotated sample logs, one file a filter. */
  readonly samples: string;
  /** For `PYTHONPATH`, so that `/usr/bin/python3` can `import fail2ban`. */
  readonly pythonPath: string;
}

/**
 * `FAIL2BAN_CONFIG`, `FAIL2BAN_SAMPLES` and `FAIL2BAN_PYTHON` where they are set; for the rest Debian's package, fetched
 * once into `${XDG_CACHE_HOME:-~/.cache}/dock2ban` (it needs `apt-get` and `dpkg`, no privileges, installs nothing).
 */
export async function fail2banTree(): Promise<Fail2banTree> {
  const { FAIL2BAN_CONFIG: config, FAIL2BAN_SAMPLES: samples, FAIL2BAN_PYTHON: python } = process.env;
  if (config && samples && python) {
    return { config: resolve(config), samples: resolve(samples), pythonPath: resolve(python) };
  }
  const root = await debianPackage();
  const pythonPath = python ? resolve(python) : join(root, 'usr/lib/python3/dist-packages');
  return {
    config: config ? resolve(config) : join(root, 'etc/fail2ban'),
    samples: samples ? resolve(samples) : join(pythonPath, 'fail2ban/tests/files/logs'),
    pythonPath,
  };
}

async function debianPackage(): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'dock2ban');
  const root = join(cache, 'fail2ban');
  if (existsSync(root)) return root;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'fail2ban-download-'));
  try {
    await execa('apt-get', ['download', 'fail2ban'], { cwd: work });
    const archive = (await readdir(work)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get download fail2ban left no .deb');
    await execa('dpkg', ['-x', archive, 'tree'], { cwd: work });
    // Two test files may fetch at the same time: whoever comes first wins.
    await rename(join(work, 'tree'), root).catch((error: unknown) => {
      if (!existsSync(root)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return root;
}
