import { basename } from 'node:path';
import { watch } from 'chokidar';
import { Wake } from '../../async/wake.ts';

/** Milliseconds without a change before files are read, so that a save in several steps is read whole. */
const quiet = 300;
/** Milliseconds after which files are read although changes go on. */
const longest = 3000;
/** Milliseconds; nothing happens when it runs out. */
const longWait = 3_600_000;

/** What the configuration is made of; fail2ban's actions mean nothing here. */
const folders = new Set(['jail.d', 'filter.d', 'fail2ban.d']);
const files = /^[^.].*\.(?:conf|local)$/;

/**
 * Calls back soon after files of a configuration directory have changed, one call at a time, until `signal` aborts. The directory
 * may come later.
 */
export async function watchConfig(
  configDir: string,
  signal: AbortSignal,
  onChange: () => Promise<unknown>,
): Promise<void> {
  const activity = new Wake();
  const watcher = watch(configDir, {
    ignoreInitial: true,
    depth: 1,
    ignored: (path, stats) =>
      path !== configDir &&
      stats !== undefined &&
      !(stats.isDirectory() ? folders.has(basename(path)) : files.test(basename(path))),
  });
  watcher.on('all', () => activity.set());
  // When no more watches can be had (ENOSPC), `reload` still works.
  watcher.on('error', () => undefined);
  try {
    while (!signal.aborted) {
      if (!(await activity.wait(longWait, signal))) continue;
      const latest = Date.now() + longest;
      while (Date.now() < latest && (await activity.wait(quiet, signal)));
      if (!signal.aborted) await onChange();
    }
  } finally {
    await watcher.close();
  }
}
