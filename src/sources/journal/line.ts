import type { JournalEntry } from './entry.ts';
import type { LineText } from '../../text/long-line.ts';
import { type LogLine, type LogStream, streamOfPriority } from '../log-line.ts';

/** An entry as a line for filters. */
export interface JournalLine {
  /** `HOST IDENTIFIER[PID]: MESSAGE`, as fail2ban's systemd backend forms it. */
  readonly line: LogLine;
  /** Offset in the line's text of what was logged itself. */
  readonly messageStart: number;
}

/** Fields that a line is made of. */
export const lineFields = [
  'MESSAGE',
  '_HOSTNAME',
  'SYSLOG_IDENTIFIER',
  '_COMM',
  'SYSLOG_PID',
  '_PID',
  '_SOURCE_REALTIME_TIMESTAMP',
  '_SOURCE_MONOTONIC_TIMESTAMP',
] as const;

/** @param message the entry's own, or one joined of several */
export function journalLine(entry: JournalEntry, message: LineText): JournalLine {
  const prefix = prefixOf(entry);
  const lead = prefix === '' ? '' : `${oneLine(prefix)} `;
  const head = lead + oneLine(message.text.slice(0, message.cut));
  const [text, cut] =
    message.cut === undefined
      ? [head, undefined]
      : [head + oneLine(message.text.slice(message.cut)), head.length];
  const line = { text, time: timeOf(entry), dateRemoved: true, stream: streamOf(entry), cut };
  return { line, messageStart: lead.length };
}

/** What was logged; several messages in one entry are joined by spaces. */
export function messageOf(entry: JournalEntry): string {
  return entry.fields.get('MESSAGE')?.join(' ') ?? '';
}

/** A field's first value. */
export function fieldOf({ fields }: JournalEntry, name: string): string | undefined {
  return fields.get(name)?.[0] || undefined;
}

/** Of what Docker logs: others choose their priority themselves. */
function streamOf(entry: JournalEntry): LogStream | undefined {
  if (fieldOf(entry, 'CONTAINER_ID_FULL') === undefined) return undefined;
  return streamOfPriority(Number(fieldOf(entry, 'PRIORITY')));
}

function prefixOf(entry: JournalEntry): string {
  const host = fieldOf(entry, '_HOSTNAME');
  const identifier = fieldOf(entry, 'SYSLOG_IDENTIFIER') ?? fieldOf(entry, '_COMM');
  const pid = fieldOf(entry, 'SYSLOG_PID') ?? fieldOf(entry, '_PID');
  const tag = identifier === undefined ? undefined : `${identifier}${pid === undefined ? '' : `[${pid}]`}:`;
  return [host, tag, tag === 'kernel:' ? uptime(entry) : undefined]
    .filter((part) => part !== undefined)
    .join(' ');
}

/** `[  123.456789]`, seconds since the boot. */
function uptime(entry: JournalEntry): string {
  const micros = fieldOf(entry, '_SOURCE_MONOTONIC_TIMESTAMP') ?? fieldOf(entry, '__MONOTONIC_TIMESTAMP');
  return `[${(Number(micros ?? 0) / 1e6).toFixed(6).padStart(12)}]`;
}

/** Epoch milliseconds: when it was logged by its sender's clock, where that is known. */
function timeOf(entry: JournalEntry): number {
  const micros = Number(fieldOf(entry, '_SOURCE_REALTIME_TIMESTAMP'));
  return Math.floor((Number.isSafeInteger(micros) ? micros : entry.received) / 1000);
}

function oneLine(text: string): string {
  return text.includes('\n') ? text.replaceAll('\n', String.raw`\n`) : text;
}
