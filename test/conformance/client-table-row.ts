/**
 * A call of fail2ban-client that both servers answer; or a line in a log that both read, or a wait for both; or a change of
 * jail.local.
 */
export type Row =
  | {
      readonly words: readonly string[];
      /** What stands on stdin. */
      readonly typed?: string;
      /** Why dock2ban answers otherwise, and what it answers. */
      readonly differs?: { readonly reason: string; readonly exitCode: number; readonly stdout: string };
    }
  | {
      /** The text of a line after its date; undefined: nothing is logged. */
      readonly logged?: string;
      /** The jail, and its log. */
      readonly log: string;
      /** What `status` of the jail comes to say. */
      readonly until: string;
    }
  | {
      /** What stands in jail.local, and what takes its place. */
      readonly edited: readonly [from: string, to: string];
    };

/** Answered alike; words are parted by spaces. */
export function same(...calls: string[]): Row[] {
  return calls.map((call) => ({ words: call.split(' ') }));
}

/** Answered alike; a last word with spaces. */
export function sameWith(call: string, last: string): Row {
  return { words: [...call.split(' '), last] };
}

/** A conversation (`-i`) that goes alike. */
export function typed(call: string, ...lines: string[]): Row {
  return { words: call.split(' '), typed: lines.map((line) => `${line}\n`).join('') };
}

/** Answered otherwise by dock2ban, for a reason. */
export function other(
  reason: string,
  words: string | readonly string[],
  exitCode: number,
  stdout: string,
): Row {
  return {
    words: typeof words === 'string' ? words.split(' ') : words,
    differs: { reason, exitCode, stdout },
  };
}
