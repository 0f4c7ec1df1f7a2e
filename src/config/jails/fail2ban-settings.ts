import { mergeFiles } from '../conf/config-set.ts';
import { orElse } from '../conf/config-error.ts';
import { fileAt, layers, type ConfigTree } from '../conf/config-tree.ts';
import { place } from '../conf/conf-file.ts';
import { parseDuration } from '../options/duration.ts';
import { interpolated, rawOption } from '../conf/interpolation.ts';
import type { ConfigProblem } from '../jail-spec.ts';

/** What of `fail2ban.conf` holds here too. */
export interface Fail2banSettings {
  /** `dbpurgeage`: seconds for which bans that are over are remembered. */
  readonly purgeAge: number;
  readonly problems: readonly ConfigProblem[];
}

/** fail2ban's default of `dbpurgeage`: a day. */
const defaultPurgeAge = 86_400;
/** Seconds (ten years): what is older is of no use, and later would be no time any more. */
const longestPurgeAge = 10 * 366 * 86_400;

/**
 * Reads `dbpurgeage` as fail2ban does, from `[Definition]`, else `[DEFAULT]`, of `fail2ban.conf`, `fail2ban.d/*.conf`,
 * `fail2ban.local` and `fail2ban.d/*.local`. Below zero is nothing, as in fail2ban: bans that are over are forgotten at once.
 */
export function fail2banSettings(tree: ConfigTree): Fail2banSettings {
  const files = layers(tree.user.keys(), 'fail2ban').flatMap((path) => fileAt(tree, path) ?? []);
  const problems = files.flatMap((file) => file.problems);
  const set = mergeFiles(files);
  const read = (): number => {
    const text = interpolated(set, 'Definition', 'dbpurgeage')?.trim();
    if (text === undefined || text === '') return defaultPurgeAge;
    return Math.min(Math.max(0, Math.trunc(parseDuration(text))), longestPurgeAge);
  };
  const purgeAge = orElse(read, (error) => {
    const raw = rawOption(set, 'Definition', 'dbpurgeage');
    const where = error.where ?? (raw ? place(raw) : 'fail2ban.conf');
    const message = `dbpurgeage: ${error.message}; fail2ban's default is used instead`;
    problems.push({ severity: 'warn', where, message, fix: error.fix });
    return defaultPurgeAge;
  });
  return { purgeAge, problems };
}
