import type { JailSpec, SourceSpec } from '../../config/jail-spec.ts';
import { isGlob, matchesGlob } from '../../sources/file/glob.ts';
import type { PatternOptions } from './followed-pattern.ts';
import type { ActiveJail, JailRegistry } from '../../jail/jail-registry.ts';

/** A jail that reads a pattern of files. */
export interface FileReader {
  readonly jail: ActiveJail;
  readonly container: string | undefined;
  /** Programs of the syslog file whose lines the jail is given already, as those of its containers. */
  readonly known: ReadonlySet<string>;
  /** Whether the jail reads a file by another of its patterns: as fail2ban does, it reads each file once. */
  readonly readsElsewhere: (path: string) => boolean;
}

/** A pattern of files, and the jails that read it in the same manner. */
export interface FileReading {
  readonly options: PatternOptions;
  readonly encoding: string | undefined;
  readonly readers: readonly FileReader[];
}

type FileSource = Extract<SourceSpec, { kind: 'file' }>;

/** The file patterns that jails read, by a key of pattern and manner: each once, however many jails read it. */
export function wantedFiles(registry: JailRegistry, syslogFile: string): Map<string, FileReading> {
  const wanted = new Map<string, FileReading & { readonly readers: FileReader[] }>();
  for (const jail of registry.active.values()) {
    const { sources, logEncoding: encoding } = jail.jail.spec;
    const files = sources.filter((source) => source.kind === 'file');
    for (const source of files) {
      const { pattern, container, polling = false, within } = source;
      const from = source.from === 'head' ? 'start' : 'end';
      const key = [pattern, from, encoding, polling, within].join('\n');
      const id = [pattern, source.from, encoding ?? [], polling ? 'polling' : [], within ? 'label' : []]
        .flat()
        .join(' ');
      const options = { pattern, from, polling, id, ...(within && { within }) } as const;
      const entry = wanted.get(key) ?? { options, encoding, readers: [] };
      const known = pattern === syslogFile ? programsOf(jail.jail.spec) : new Set<string>();
      entry.readers.push({ jail, container, known, readsElsewhere: readElsewhere(source, files) });
      wanted.set(key, entry);
    }
  }
  return wanted;
}

/** The programs under which a jail's containers log to the host's syslog file. */
function programsOf({ sources }: JailSpec): ReadonlySet<string> {
  return new Set(
    sources.flatMap((source) =>
      source.kind === 'syslog' && source.via === undefined ? [source.program] : [],
    ),
  );
}

/** Whether a pattern matches a file. */
export function covers({ pattern }: Pick<FileSource, 'pattern'>, path: string): boolean {
  return pattern === path || matchesGlob(path, pattern);
}

/** A file belongs to the pattern that is its path, else to the first that it matches. */
function readElsewhere(own: FileSource, all: readonly FileSource[]): (path: string) => boolean {
  if (all.length < 2) return () => false;
  const byRank = all.toSorted((a, b) => Number(isGlob(a.pattern)) - Number(isGlob(b.pattern)));
  const before = byRank.slice(0, byRank.indexOf(own));
  const known = new Map<string, boolean>();
  return (path) => {
    const answer = known.get(path) ?? before.some((other) => covers(other, path));
    known.set(path, answer);
    return answer;
  };
}
