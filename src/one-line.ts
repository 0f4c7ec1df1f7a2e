/**
 * A message as one line of plain text: labels and log lines bring in what others wrote, and must forge neither a second
 * line nor a terminal's control sequences.
 */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\u{fffd}');
}
