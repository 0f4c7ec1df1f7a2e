import { Dock2banError, messageOf } from '../../errors.ts';
import type { SourceUpdate } from '../source-update.ts';

/** What following a file yields. `begun` comes where that isn't the file's start. */
export type TailUpdate = SourceUpdate<{
  /** One or more whole lines, each ended by one `\n`; valid until the next update is asked for. */
  readonly bytes: Buffer;
  /** False for what was logged before the file was opened at the start. */
  readonly live: boolean;
  /** Where in the bytes something of a line was left out that was longer than 256 KiB. */
  readonly cuts: readonly number[];
}>;

/**
 * What a look found, and what that means for the next. `behind`: there is more to read right now; `grown`: there was
 * something; `watched`: nothing new, and events will tell; `unwatched`: nothing new, and no event tells of this file;
 * `absent`: there is no file, and an event tells when one comes.
 */
export interface TailLook {
  readonly updates: readonly TailUpdate[];
  readonly state: 'behind' | 'grown' | 'watched' | 'unwatched' | 'absent';
}

const fixes: Readonly<Record<string, string>> = {
  ENOENT: "mount the host's log folder (not the file) into the container: -v /var/log:/var/log:ro",
  EACCES:
    'let dock2ban read it: group_add: ["4"] (adm, which owns the logs on Debian and Ubuntu), or cap_add: [DAC_READ_SEARCH]',
  ERR_ACCESS_DENIED:
    'mount its folder into the container: -v /srv/logs:/srv/logs:ro; dock2ban reads what is mounted and what its options name',
  ENOTFILE: 'name a log file',
  EOUTSIDE: 'name the folder that it is in by --log-roots (DOCK2BAN_LOG_ROOTS), or the file in jail.local',
  EPACKED: 'name log files only: *.log instead of *',
};

/** Why a file can't be read, with the fix where there is one. */
export function tailError(path: string, error: unknown): Dock2banError {
  const code = codeOf(error);
  const message =
    code === 'ENOENT'
      ? `${path} does not exist`
      : code === 'EACCES'
        ? `no permission to read ${path}`
        : code === 'ERR_ACCESS_DENIED'
          ? `${path} is not mounted into the container`
          : `cannot read ${path}: ${messageOf(error)}`;
  return new Dock2banError('source-unreadable', message, { cause: error, fix: fixes[code] });
}

/** The system's code of an error, or ''. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
