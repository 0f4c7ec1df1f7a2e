/** The address of the client whose text it is. */
export const sender = '192.0.2.66';
/** Another: it ends in colons, as a syslog tag does. */
export const colonSender = '2001:db8::';

/** A line of a program in which a client chose a text. */
export interface HostileRecord {
  /** As the program writes it, line feeds included where it lets them through. */
  readonly line: (text: string) => string;
  /** The first mode in which it counts, whatever the text; undefined: some texts may make it count. */
  readonly counts?: 'normal' | 'aggressive' | undefined;
  /** The stream of the official image. */
  readonly stream?: 'stdout' | 'stderr';
  /** Characters of the text that the program takes at most. */
  readonly most?: number;
  /** The program's own longest line: one that is as long may lack the address. */
  readonly longest?: number;
  /** What of it the documentation says that it can be forged by, beside a line feed. */
  readonly forgeable?: boolean;
}
