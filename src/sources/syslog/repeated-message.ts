const start = 'message repeated ';

/** What stands behind a syslog daemon's `message repeated N times: [ … ]`. */
export interface RepeatedMessage {
  readonly times: number;
  readonly message: string;
}

/**
 * Reads the line with which rsyslog ($RepeatedMsgReduction, on by default in Ubuntu) stands in for equal messages in a
 * row: the first was written as it is, this one says how many followed. Whoever logs may write such a line too. Undefined: an ordinary message.
 * @param at offset of the message in `text`
 * @param end offset behind it
 */
export function readRepeatedMessage(text: string, at: number, end: number): RepeatedMessage | undefined {
  if (!text.startsWith(start, at)) return undefined;
  const match = /^message repeated (\d{1,9}) times: \[ ?(.*)\]$/.exec(text.slice(at, end));
  if (!match) return undefined;
  return { times: Number(match[1]), message: match[2]! };
}
