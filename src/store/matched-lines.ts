import { capLines } from '../jail/matched-lines.ts';

/** The text in which lines are stored. It shares no memory with the lines, which may be slices of a reader's buffer. */
export function encodeLines(lines: readonly string[]): string {
  return JSON.stringify(capLines(lines));
}

/** What `encodeLines` made; nothing for any other text. */
export function decodeLines(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? capLines(value.filter((line) => typeof line === 'string')) : [];
  } catch {
    return [];
  }
}
