import { execFileSync } from 'node:child_process';
import type { Fail2banTree } from './fail2ban-tree.ts';

export type Options = Record<string, string | number | null>;

/** What `config.py` answers; null where fail2ban throws. */
export interface Answers {
  filters: (Options | null)[];
  jails: Record<string, { options: Options; commands: Commands }> | null;
  durations: (number | null)[];
  calls: ([string, Record<string, string>] | null)[];
  words: (string[] | null)[];
  formulas: (number | null)[];
}

/** How fail2ban configures a jail's filter. */
export interface Commands {
  failregex: string[];
  ignoreregex: string[];
  journalmatch: string[][];
  prefregex?: string;
  datepattern?: string;
  maxlines?: number;
  usedns?: string;
}

/** Asks fail2ban's own code. */
export function askFail2ban(fail2ban: Fail2banTree, question: Record<string, unknown>): Answers {
  return JSON.parse(
    execFileSync('/usr/bin/python3', ['test/conformance/config.py'], {
      input: JSON.stringify({ config: fail2ban.config, ...question }),
      env: { PYTHONPATH: fail2ban.pythonPath, PYTHONWARNINGS: 'ignore' },
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    }),
  ) as Answers;
}

/** Null for what throws, as fail2ban answers. */
export function attempt<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}
