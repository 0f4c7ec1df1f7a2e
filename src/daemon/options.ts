import type { LabelPolicy } from '../config/labels/label-policy.ts';

export const firewallChoices = ['auto', 'docker-user', 'nftables', 'none'] as const;
export const logFormats = ['text', 'json', 'fail2ban'] as const;
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const onStopChoices = ['keep', 'flush'] as const;

export type LogFormat = (typeof logFormats)[number];
export type LogLevel = (typeof logLevels)[number];

/** What the syslog receiver can be told. */
export interface ReceiverOptions {
  /** Addresses to listen on, as written: `udp://127.0.0.1:5514,unix:///…`; empty: there is no receiver. */
  readonly listen: string;
  /** Senders that may use listeners that aren't local, as written: `192.0.2.0/24,…`. */
  readonly allow: string;
  /** PEM files for `tls://`. */
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  /** Only senders with a certificate of this authority are let in. */
  readonly tlsClientCa?: string | undefined;
}

/** What `dock2ban run` can be told. */
export interface RunOptions {
  /** `unix:///var/run/docker.sock`, `tcp://host:port`, … */
  readonly dockerHost: string;
  /** fail2ban's configuration tree; may be absent. */
  readonly configDir: string;
  /** Whether changes of `configDir` hold at once, or when they are asked to (`dock2ban reload`, SIGHUP). */
  readonly watchConfig: boolean;
  /** Where bans and positions in logs are remembered. */
  readonly stateDir: string;
  /** Path of the control socket. */
  readonly socket: string;
  /** The host's syslog file as this process sees it. */
  readonly syslogFile: string;
  readonly receiver: ReceiverOptions;
  /** Addresses and networks that no jail bans, as written: `192.0.2.7,2001:db8::/32`. */
  readonly ignoreip: string;
  readonly labels: LabelPolicy;
  readonly firewall: (typeof firewallChoices)[number];
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Whether bans stay in the kernel when dock2ban stops, or every trace is removed. */
  readonly onStop: (typeof onStopChoices)[number];
}
