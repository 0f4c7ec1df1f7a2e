/** What is kept of the lines that led to a ban. Attackers write them, so each number is a bound. */
export const matchLimits = {
  /** Lines; fail2ban's `dbmaxmatches`. */
  lines: 10,
  /** UTF-16 code units of one line. */
  lineLength: 1024,
  /** UTF-16 code units of all lines of a ban. */
  totalLength: 4096,
} as const;

/** The newest lines that the limits allow, oldest first. */
export function capLines(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let room: number = matchLimits.totalLength;
  for (let index = lines.length - 1; index >= 0 && kept.length < matchLimits.lines; index--) {
    const line = cut(lines[index]!, Math.min(matchLimits.lineLength, room));
    room -= line.length;
    if (line === '' && lines[index] !== '') break;
    kept.push(line);
  }
  return kept.toReversed();
}

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

/** Cuts between characters, not within a surrogate pair. */
function cut(line: string, length: number): string {
  if (line.length <= length) return line;
  const last = line.charCodeAt(length - 1);
  return line.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
