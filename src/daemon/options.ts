export const firewallChoices = ['auto', 'docker-user', 'none'] as const;
export const logFormats = ['json', 'pretty', 'fail2ban'] as const;
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const onStopChoices = ['keep', 'flush'] as const;

export type LogFormat = (typeof logFormats)[number];
export type LogLevel = (typeof logLevels)[number];

/** What `dock2ban run` can be told. */
export interface RunOptions {
  /** `unix:///var/run/docker.sock`, `tcp://host:port`, … */
  readonly dockerHost: string;
  /** fail2ban's configuration tree; may be absent. */
  readonly configDir: string;
  /** Path of the control socket. */
  readonly socket: string;
  /** The host's syslog file as this process sees it. */
  readonly syslogFile: string;
  readonly firewall: (typeof firewallChoices)[number];
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Whether bans stay in the kernel when dock2ban stops, or every trace is removed. */
  readonly onStop: (typeof onStopChoices)[number];
}
