import { isAbsolute, normalize } from 'node:path';
import { Dock2banError } from '../../errors.ts';

/** What the operator lets labels do, by options of `dock2ban run`. */
export interface LabelPolicy {
  /** Whether labels of an image count as those of its containers. */
  readonly trustImageLabels: boolean;
  /** The folders below which labels may name log files. Absolute, without a slash at the end. */
  readonly logRoots: readonly string[];
}

/** Folders, as they are written. */
export const defaultLogRoots = '/var/log';

/** @throws Dock2banError for a folder that isn't absolute */
export function labelPolicy(options: {
  readonly trustImageLabels: boolean;
  readonly logRoots: string;
}): LabelPolicy {
  const folders = options.logRoots.split(',').flatMap((text) => text.trim() || []);
  const odd = folders.find((folder) => !isAbsolute(folder));
  if (odd !== undefined) {
    const fix = 'name folders by their whole path: --log-roots /var/log,/srv/logs';
    throw new Dock2banError('usage', `${JSON.stringify(odd)} in --log-roots is no absolute path`, { fix });
  }
  const logRoots = folders.map((folder) => normalize(folder).replace(/(?<=.)\/$/, ''));
  return { trustImageLabels: options.trustImageLabels, logRoots };
}

export const defaultPolicy = labelPolicy({ trustImageLabels: false, logRoots: defaultLogRoots });
