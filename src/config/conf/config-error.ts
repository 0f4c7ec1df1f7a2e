import { Dock2banError } from '../../errors.ts';

/** Something in a configuration file or label that can't be used; `where` says which, if the thrower knows. */
export class ConfigError extends Dock2banError {
  declare readonly fix: string;
  /** `/etc/fail2ban/jail.local:12`, `container web, label fail2ban.maxretry=many`, … */
  readonly where: string | undefined;

  constructor(message: string, fix: string, where?: string) {
    super('config', message, { fix });
    this.name = 'ConfigError';
    this.where = where;
  }
}

/** `invalid port "8o"`. @param what the text should be */
export function invalid(what: string, text: string, fix: string): ConfigError {
  return new ConfigError(`invalid ${what} ${quoted(text)}`, fix);
}

/** A text from outside, as messages show it: in quotes, its beginning if it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** What `run` gives; if it throws a ConfigError, what `otherwise` makes of that. */
export function orElse<T, U>(run: () => T, otherwise: (error: ConfigError) => U): T | U {
  try {
    return run();
  } catch (error) {
    if (error instanceof ConfigError) return otherwise(error);
    throw error;
  }
}
