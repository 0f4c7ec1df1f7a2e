import type { Match } from '../python-regex/match.ts';

/**
 * Stands in a text where something of a line was left out. A lone surrogate: no decoder makes one, so no log has it, and it is
 * neither a word's character nor a newline.
 */
export const cutMark = '\udc00';

/** Characters of a line that expressions see which aren't built in. */
export const mostForeign = 65_536;
/** The part of a cut line that its head has; its tail has the rest. */
const headPart = 3 / 4;

/** The beginning of a line and its end, the mark between them. */
export interface CutText {
  readonly head: string;
  /** The mark, and what stands behind it. */
  readonly tail: string;
}

/**
 * A line as expressions see it: with a mark where it was cut, and where it has to be because it is longer than they may see.
 * @param cut offset at which the line was cut already
 * @param most characters
 * @returns undefined: it is whole
 */
export function cutText(text: string, cut: number | undefined, most: number): CutText | undefined {
  if (cut === undefined && text.length <= most) return undefined;
  const headLength = Math.min(cut ?? Infinity, text.length <= most ? Infinity : Math.floor(most * headPart));
  const tailLength = text.length <= most ? text.length - headLength : Math.floor(most * (1 - headPart));
  const end = isHigh(text, headLength - 1) ? headLength - 1 : headLength;
  const start = Math.max(cut ?? 0, headLength, text.length - tailLength);
  return { head: text.slice(0, end), tail: cutMark + text.slice(isLow(text, start) ? start + 1 : start) };
}

/** The text of a line as people are shown it. */
export function withoutMarks(text: string): string {
  return text.includes(cutMark) ? text.replaceAll(cutMark, ' … ') : text;
}

/**
 * A match that has nothing to do with what was left out: it neither takes a mark nor stands beside one, so that no end of a line, edge of a
 * word or look around is believed that the whole line might not have. Where the first match does, which the whole line might have
 * elsewhere, the part behind the mark is searched by itself.
 * @param margin how far an expression looks around
 * @param again whether to search the part behind
 */
export function matchBesideMarks(
  match: Match,
  text: string,
  margin: number,
  again: ((text: string) => Match | undefined) | undefined,
): Match | undefined {
  for (let found: Match | undefined = match, searched = text; found;) {
    const mark = searched.indexOf(cutMark, Math.max(0, found.start - margin));
    if (mark < 0 || mark >= found.end + margin) return found;
    if (!again || mark === 0) return undefined;
    searched = searched.slice(mark);
    found = again(searched);
  }
  return undefined;
}

function isHigh(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
