import { fileURLToPath } from 'node:url';
import { defaultLogRoots, labelPolicy, type LabelPolicy } from '../../config/labels/label-policy.ts';

/** The built-in jails and filters, beside `dist/` or `src/`. */
export const builtinDir = fileURLToPath(new URL('../../../filters', import.meta.url));

const { env } = process;

// Options of several commands. `run` takes each of its own from the environment; of these, all commands take them.

export const socket = {
  type: 'string',
  default: env['DOCK2BAN_SOCKET'] ?? '/run/dock2ban/dock2ban.sock',
  describe: "The controller's unix socket",
} as const;

const json = { type: 'boolean', default: false, describe: 'Print JSON' } as const;

export const dockerHost = {
  type: 'string',
  default: env['DOCK2BAN_DOCKER_HOST'] ?? env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock',
  defaultDescription: '$DOCKER_HOST, else unix:///var/run/docker.sock',
  describe: 'Where the Docker engine listens',
} as const;

export const configDir = {
  type: 'string',
  default: env['DOCK2BAN_CONFIG_DIR'] ?? '/etc/fail2ban',
  describe: "fail2ban's configuration (jail.local, filter.d, …); may be absent",
} as const;

export const stateDir = {
  type: 'string',
  default: env['DOCK2BAN_STATE_DIR'] ?? '/var/lib/dock2ban',
  describe: 'Where bans and log positions are saved; keep it on a volume',
} as const;

export const syslogFile = {
  type: 'string',
  default: env['DOCK2BAN_SYSLOG_FILE'] ?? '/var/log/syslog',
  describe: "The host's syslog file; mount its folder, not the file",
} as const;

export const syslogListen = {
  type: 'string',
  default: env['DOCK2BAN_SYSLOG_LISTEN'] ?? '',
  describe:
    'Receive syslog: udp://127.0.0.1:5514,tcp://127.0.0.1:5514,unix:///run/dock2ban/syslog.sock,tls://…',
} as const;

/** Options of what asks a controller. */
export const withJson = { socket, json } as const;

/** A positional. */
export const jailName = { type: 'string', describe: 'Jail' } as const;

/** A positional. */
export const addresses = {
  type: 'string',
  array: true,
  describe: 'IP addresses and prefixes (203.0.113.0/24)',
} as const;

/** What labels may do, by the environment variables of `dock2ban run`. @throws Dock2banError */
export function environmentPolicy(): LabelPolicy {
  return labelPolicy({
    trustImageLabels: env['DOCK2BAN_TRUST_IMAGE_LABELS'] === 'true',
    logRoots: env['DOCK2BAN_LOG_ROOTS'] ?? defaultLogRoots,
  });
}
