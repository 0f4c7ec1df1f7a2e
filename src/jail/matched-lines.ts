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
    const line = cutLine(lines[index]!, Math.min(matchLimits.lineLength, room));
    room -= line.length;
    if (line === '' && lines[index] !== '') break;
    kept.push(line);
  }
  return kept.toReversed();
}

/** The beginning of a line. It is cut between characters, not within a surrogate pair. */
export function cutLine(line: string, length: number): string {
  if (line.length <= length) return line;
  const last = line.charCodeAt(length - 1);
  return line.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
