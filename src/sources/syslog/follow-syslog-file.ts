import { tailFile, type TailOptions } from '../file/follow-file.ts';
import { type LogLine, streamOfPriority } from '../log-line.ts';
import { readRepeatedMessage } from './repeated-message.ts';
import { SyslogClock } from './clock.ts';
import { findSyslogHeader } from './header.ts';
import type { SourceUpdate } from '../source-update.ts';

/** A line of a syslog file. */
export interface SyslogLine {
  /** Who logged it, by the header; undefined if the line has none that can be read. */
  readonly program: string | undefined;
  /**
   * Without the timestamp, as fail2ban matches it: ` host tag[pid]: message`, the space before the host kept. A line
   * without a readable header stands here whole, without time. The strings may hold on to the 16 KiB that they were
   * read with: whoever keeps one for long must copy it.
   */
  readonly line: LogLine;
  /** Offset in the line's text of what the program itself wrote; 0 without a header. */
  readonly messageStart: number;
  /** How often it was logged, where a daemon wrote so: `message repeated 3 times: [ … ]`. */
  readonly times?: number;
  /** Bytes of the record as it was sent, where that is known; else as the line has. */
  readonly size?: number;
}

const newline = 0x0a;
/** What is made text of at once. */
const pieceBytes = 16 * 1024;

/**
 * As of a tail; `lines` are those that are wanted, which may be none. Each is made when it is its turn, so they must be taken before
 * the next update is asked for.
 */
export type SyslogUpdate = SourceUpdate<{
  readonly lines: Iterable<SyslogLine>;
  /** False for what was logged before the file was opened at the start. */
  readonly live: boolean;
}>;

export interface SyslogFileOptions extends TailOptions {
  /** Asked for each line with a header; the others are passed over before anything is made of them. */
  readonly wanted: (program: string) => boolean;
  /** The present, epoch milliseconds. */
  readonly now: () => number;
}

/** Follows a syslog file and yields the lines of the wanted programs, and those without a readable header. Never throws. */
export async function* followSyslogFile(
  path: string,
  { wanted, now, ...tailOptions }: SyslogFileOptions,
): AsyncGenerator<SyslogUpdate, void, undefined> {
  const clock = new SyslogClock(now);
  for await (const update of tailFile(path, tailOptions)) {
    if (update.type === 'lines') {
      // What was cut is longer than what a container's record may be to be believed.
      const { bytes, cuts: _, ...rest } = update;
      yield { ...rest, lines: { [Symbol.iterator]: () => linesIn(bytes, wanted, clock) } };
    } else {
      yield update;
    }
  }
}

/** @param text whole lines, each ended by a newline */
export function readSyslogLines(
  text: string,
  wanted: (program: string) => boolean,
  clock: SyslogClock,
): SyslogLine[] {
  return [...syslogLines(text, wanted, clock)];
}

/** Little by little: a thousand lines that are there at once would outlive V8's young generation, and cost more as garbage than to be read. */
function* linesIn(
  bytes: Buffer,
  wanted: (program: string) => boolean,
  clock: SyslogClock,
): Generator<SyslogLine, void, undefined> {
  for (let start = 0, end: number; start < bytes.length; start = end) {
    end = bytes.length;
    if (end - start > pieceBytes) end = bytes.indexOf(newline, start + pieceBytes) + 1;
    yield* syslogLines(bytes.toString('utf8', start, end), wanted, clock);
  }
}

function* syslogLines(
  text: string,
  wanted: (program: string) => boolean,
  clock: SyslogClock,
): Generator<SyslogLine, void, undefined> {
  for (let start = 0, lineEnd: number; start < text.length; start = lineEnd + 1) {
    lineEnd = text.indexOf('\n', start);
    const header = findSyslogHeader(text, start, lineEnd);
    if (header && !wanted(header.program)) continue;
    const end = text.charCodeAt(lineEnd - 1) === 0x0d ? lineEnd - 1 : lineEnd;
    const time = header && clock.read(text.slice(header.dateStart, header.dateEnd));
    if (header && time !== undefined) {
      const rest = text.slice(header.dateEnd, end);
      const lead = text.slice(start, header.dateStart);
      const whole = lead + rest;
      const repeated = readRepeatedMessage(text, header.messageStart, end);
      yield {
        program: header.program,
        line: {
          text: repeated ? whole.slice(0, header.messageStart - end) + repeated.message : whole,
          time,
          dateRemoved: true,
          stream: lead ? streamOfPriority(Number(lead.slice(1, -1))) : undefined,
        },
        messageStart: whole.length - (end - header.messageStart),
        ...(repeated && { times: repeated.times }),
      };
    } else {
      yield {
        program: undefined,
        line: { text: text.slice(start, end), time: undefined, dateRemoved: false },
        messageStart: 0,
      };
    }
  }
}
