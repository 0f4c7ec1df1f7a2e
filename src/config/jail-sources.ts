import type { JailFilter } from './jail-filter.ts';
import type { SourceSpec } from './jail-spec.ts';

/** What an enabled jail of the configuration reads without any container: its log files, or the journal. */
export function hostSources({ reader, journalMatches }: JailFilter): SourceSpec[] {
  const backend = reader.value('backend') ?? 'auto';
  if (backend === 'systemd') return [{ kind: 'journald', matches: journalMatches, container: undefined }];
  const polling = backend === 'polling' ? { polling: true } : {};
  return (reader.value('logpath') ?? []).map(({ pattern, from }) =>
    Object.assign({ kind: 'file' as const, pattern, from, container: undefined }, polling),
  );
}
