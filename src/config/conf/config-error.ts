import { Dock2banError } from '../../errors.ts';

/** Something in a configuration file or label that can't be used; `where` says which, if the thrower knows. */
export class ConfigError extends Dock2banError {
  /** `/etc/fail2ban/jail.local:12`, `container web, label fail2ban.maxretry=many`, … */
  readonly where: string | undefined;

  constructor(message: string, fix: string, where?: string) {
    super('config', message, { fix });
    this.name = 'ConfigError';
    this.where = where;
  }
}
