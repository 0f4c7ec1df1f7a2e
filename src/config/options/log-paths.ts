import { invalid } from '../conf/config-error.ts';

/** A file or glob of `logpath`. */
export interface LogPath {
  readonly pattern: string;
  /** Where reading begins when dock2ban sees the file for the first time. */
  readonly from: 'head' | 'tail';
}

/**
 * Parses `logpath`: one path or glob a line, each with an optional ` head` (the default) or ` tail`.
 *
 * @throws ConfigError for a path that isn't absolute
 */
export function parseLogPaths(text: string): LogPath[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, pattern = line, from] = /^(.*\S)\s+(head|tail)$/.exec(line) ?? [];
      if (!pattern.startsWith('/'))
        throw invalid('path', pattern, 'write an absolute one, such as /var/log/app/*.log');
      return { pattern, from: from === 'tail' ? 'tail' : 'head' };
    });
}
