import type { BufferedLine } from './buffered-line.ts';
import { groupsOf, type Match } from '../python-regex/match.ts';

/** The lines of a buffer, sorted by whether a match used them. */
export interface LineSplit {
  readonly matched: readonly BufferedLine[];
  /** In the order in which they stay in the buffer. */
  readonly unmatched: readonly BufferedLine[];
}

/**
 * Which lines of a buffer a match used: those from its first to its last, without what `<SKIPLINES>` passed over.
 * @param text the lines joined, as searched
 */
export function splitLines(match: Match, text: string, lines: readonly BufferedLine[]): LineSplit {
  if (lines.length <= 1) return { matched: lines, unmatched: [] };
  const start = text.lastIndexOf('\n', match.start) + 1;
  const newline = text.indexOf('\n', Math.max(0, match.end - 1));
  const first = countLines(text, start);
  const last = countLines(text, newline < 0 ? text.length : newline + 1);
  const matched = lines.slice(first, last);
  const skipped: BufferedLine[] = [];
  let from = 0;
  for (const passed of skippedLines(match)) {
    const at = matched.findIndex((line, index) => index >= from && line.visible === passed);
    if (at < 0) continue;
    skipped.push(...matched.splice(at, 1));
    from = at;
  }
  return { matched, unmatched: [...lines.slice(0, first), ...skipped, ...lines.slice(last)] };
}

function countLines(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

function skippedLines(match: Match): string[] {
  const groups = groupsOf(match);
  let text = '';
  for (let i = 0; ; i += 1) {
    const part = groups[`skiplines${i}`];
    if (part === undefined) break;
    text += part;
  }
  return text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => `${line}\n`);
}
