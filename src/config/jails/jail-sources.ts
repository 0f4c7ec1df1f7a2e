import type { JailFilter } from './jail-filter.ts';
import type { JailSpec, SourceSpec } from '../jail-spec.ts';

/** What an enabled jail of the configuration reads without any container: its log files, or the journal. */
export function hostSources({ reader, journalMatches }: JailFilter): SourceSpec[] {
  const backend = reader.value('backend') ?? 'auto';
  if (backend === 'systemd') return [{ kind: 'journald', matches: journalMatches, container: undefined }];
  const polling = backend === 'polling' ? { polling: true } : {};
  return (reader.value('logpath') ?? []).map(({ pattern, from }) =>
    Object.assign({ kind: 'file' as const, pattern, from, container: undefined }, polling),
  );
}

/** fail2ban's jail, and filter, for those who are banned again and again. */
const recidive = 'recidive';

/** What a jail is fed with directly: for `recidive`, by its own name or its filter's, the bans of the other jails. */
export function fedSources({ spec, reader }: JailFilter): SourceSpec[] {
  return reader.name === recidive || spec.name === recidive ? [{ kind: 'bans', container: undefined }] : [];
}

/** Whether bans of other jails are this jail's failures. */
export function countsBans({ sources }: Pick<JailSpec, 'sources'>): boolean {
  return sources.some(({ kind }) => kind === 'bans');
}
