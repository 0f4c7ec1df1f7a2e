import type { JailSpec, SourceSpec } from '../../config/jail-spec.ts';
import { messageOf } from '../../errors.ts';
import { compileFilter } from '../../filter/filter.ts';
import type { LogLine } from '../../sources/log-line.ts';
import { SyslogClock } from '../../sources/syslog/clock.ts';
import { readSyslogLines } from '../../sources/syslog/follow-syslog-file.ts';
import type { Sample } from './check-logs.ts';
import type { EngineFacts } from '../facts/engine-facts.ts';
import { readContainerLog, readTail, type FileTail } from '../facts/log-sample.ts';

export interface SightingContext {
  /** Undefined: it can't be asked. */
  readonly engine: EngineFacts | undefined;
  /** The end of the syslog file; undefined: it can't be read. */
  readonly syslog: { readonly path: string; readonly tail: FileTail } | undefined;
  /** Files that match a pattern. */
  readonly files: (pattern: string) => AsyncIterable<string>;
  readonly signal: AbortSignal;
}

/** A line, in the forms in which a filter may know it: with and without the header of syslog. */
type Forms = readonly LogLine[];

/** However long ago a failure was, it tells who can be seen. Seconds. */
const anyTime = 100 * 365 * 86_400;
/** So many files of a pattern are looked at. */
const mostFiles = 3;

/** Lets the jail's filter find failures in the last lines of each of its logs. */
export async function sightingsOf(jail: JailSpec, context: SightingContext): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const source of jail.sources) {
    for await (const { name, lines } of linesOf(source, context)) {
      if (typeof lines === 'string')
        samples.push({ failed: `[${jail.name}] ${name} could not be read: ${lines}` });
      else
        samples.push({
          jail: jail.name,
          source: name,
          lines: lines.length,
          offenders: offendersIn(jail, lines),
        });
    }
  }
  return samples;
}

function offendersIn({ filter: spec }: JailSpec, lines: readonly Forms[]): string[] {
  const filter = compileFilter(spec, { findtime: anyTime });
  return lines.flatMap((forms) => {
    for (const line of forms) {
      const failures = filter.process(line, Date.now());
      if (failures.length > 0) return failures.map(({ id }) => id);
    }
    return [];
  });
}

async function* linesOf(
  source: SourceSpec,
  { engine, syslog, files, signal }: SightingContext,
): AsyncGenerator<{ readonly name: string; readonly lines: readonly Forms[] | string }> {
  switch (source.kind) {
    case 'syslog':
      // What comes by a receiver is kept nowhere; that the file can't be read is told elsewhere.
      if (source.via === 'receiver' || !syslog) return;
      yield { name: `${syslog.path} (${source.program})`, lines: syslogForms(syslog.tail, source.program) };
      return;
    case 'docker': {
      const container = engine?.containers.find(({ snapshot }) => snapshot.id === source.containerId);
      if (!engine || !container) return;
      const lines = await readContainerLog(engine, container, signal);
      yield {
        name: `docker:${source.container}`,
        lines: typeof lines === 'string' ? lines : lines.map((line) => [line]),
      };
      return;
    }
    case 'journald':
    case 'bans':
      return;
    case 'file': {
      let count = 0;
      for await (const path of files(source.pattern)) {
        if ((count += 1) > mostFiles) return;
        yield { name: path, lines: await fileLines(path) };
      }
    }
  }
}

function syslogForms({ text }: FileTail, program: string): Forms[] {
  const lines = readSyslogLines(text, (name) => name === program, new SyslogClock(Date.now));
  return lines
    .filter((line) => line.program === program)
    .map(({ line, messageStart }) => [
      line,
      { text: line.text.slice(messageStart), time: line.time, dateRemoved: false },
    ]);
}

async function fileLines(path: string): Promise<Forms[] | string> {
  try {
    const { text } = await readTail(path);
    const lines = text.split('\n').slice(0, -1);
    return lines.map((line) => [{ text: line, time: undefined, dateRemoved: false }]);
  } catch (thrown) {
    return messageOf(thrown);
  }
}
