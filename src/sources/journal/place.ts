import { readdir, readFile } from 'node:fs/promises';
import { Dock2banError } from '../../errors.ts';

/** Where a journal may be. */
export interface JournalPlaces {
  /** Folders with one folder a machine: the journal on disk, and the one in memory. */
  readonly folders: readonly string[];
  readonly machineId: string;
}

/** Where systemd keeps them. */
export const systemJournal: JournalPlaces = {
  folders: ['/var/log/journal', '/run/log/journal'],
  machineId: '/etc/machine-id',
};

const mounts = '/var/log/journal, /run/log/journal and /etc/machine-id';

/**
 * The id of the machine whose entries are this host's, where journals of others lie beside its own; undefined: there is one
 * journal only.
 * @throws Dock2banError `journal-missing`
 */
export async function findJournal({ folders, machineId }: JournalPlaces): Promise<string | undefined> {
  const lists = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])));
  const names = lists.flat().filter((name) => /^[\da-f]{32}(?:\.|$)/.test(name));
  const machines = new Set(names.map((name) => name.slice(0, 32)));
  if (machines.size === 1) return undefined;
  const own = (await readFile(machineId, 'utf8').catch(() => '')).trim();
  if (machines.has(own)) return own;
  throw machines.size === 0
    ? new Dock2banError('journal-missing', `there is no journal in ${folders.join(' or ')}`, {
        fix: `mount the host's ${mounts} into the container, read-only; on a host without systemd, use log files`,
      })
    : new Dock2banError(
        'journal-missing',
        `the journals of several machines are in ${folders.join(' and ')}`,
        {
          fix: `mount the host's ${machineId} into the container, read-only, to tell its own`,
        },
      );
}
