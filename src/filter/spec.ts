import type { LogStream } from '../sources/log-line.ts';

/** How a DNS name in a log line is treated; fail2ban's `usedns`. */
export type UseDns = 'yes' | 'warn' | 'no' | 'raw';

/** Where a filter's expressions were written. */
export interface FilterOrigin {
  /** `fail2ban.failregex`, or `/etc/fail2ban/filter.d/app.conf`. */
  readonly where: string;
  /** Of labels: the jail that they define, their container, and a hash of the jail and of what they say of its filter. */
  readonly labels?: { readonly jail: string; readonly container: string; readonly key: string };
}

/** A filter with every include, interpolation and `<parameter>` resolved; only fail2ban's own tags (`<HOST>`, `<F-…>`, …) are left. */
export interface FilterSpec {
  /** The filter's name, for messages. */
  readonly name: string;
  /** Python regular expressions, one an entry. */
  readonly failregex: readonly string[];
  readonly ignoreregex: readonly string[];
  readonly prefregex: string | undefined;
  /** fail2ban's `datepattern`, one template a line; undefined: the default templates. */
  readonly datepattern: string | undefined;
  /** How many lines a failregex may see at once. */
  readonly maxlines: number;
  readonly usedns: UseDns;
  readonly logtype: 'file' | 'journal';
  /** Minutes east of UTC of dates that name no zone; undefined: this process's own zone. */
  readonly logTimeZone?: number;
  /** Where its program writes what it is for; lines that are known to come from the other stream don't count. Undefined: anywhere. */
  readonly stream?: LogStream;
  /** Whether every expression is the image's own: none is changed or added by a user's file, a label or by hand. */
  readonly builtIn?: boolean;
  /** Undefined where it is built in, or was changed by hand. */
  readonly origin?: FilterOrigin;
}
