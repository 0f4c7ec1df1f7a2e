import type { Dock2banError } from '../../errors.ts';
import { refusal } from './command.ts';

/** Options of fail2ban's server that dock2ban has at its start only, and what comes nearest. */
const elsewhere: Readonly<Record<string, string>> = {
  loglevel: 'what comes nearest is `dock2ban run --log-level`',
  syslogsocket: 'what come nearest are `dock2ban run --syslog-listen` and `--syslog-file`',
  dbfile: 'bans are remembered in `dock2ban run --state-dir`',
  dbmaxmatches: 'of a ban, the lines are kept that maxmatches of its jail says',
  dbpurgeage: 'it is read from fail2ban.local when dock2ban starts',
  allowipv6: 'IPv6 is always on',
  thread: 'there is one thread',
};

/**
 * What `get` answers to an option of the server; undefined: it names a jail.
 * @throws Dock2banError for one that only dock2ban's start knows
 */
export function serverOption(name: string): string | undefined {
  if (name === 'logtarget') return 'Current logging target is:\n`- STDOUT';
  if (!Object.hasOwn(elsewhere, name)) return undefined;
  throw refusal(`${name} is not told by dock2ban while it runs`, elsewhere[name]);
}

/** @throws Dock2banError if `name` is an option of the server: it is set where dock2ban is started */
export function refuseServerOption(name: string): void {
  if (name !== 'logtarget' && !Object.hasOwn(elsewhere, name)) return;
  throw refusal(
    `${name} can't be set while dock2ban runs`,
    elsewhere[name] ?? 'dock2ban logs on stdout, for Docker to keep',
  );
}

/** Actions are dock2ban's own. */
export function ownFirewall(): Dock2banError {
  return refusal(
    "dock2ban bans by its own firewall: a jail's actions can't be shown or changed",
    'what a ban closes and how: the options port and blocktype of the jail',
  );
}

/** Log files and journal matches come from the configuration and from labels. */
export function configuredSources(option: string): Dock2banError {
  return refusal(
    `dock2ban has no ${option}: where a jail's lines come from is configured`,
    'set logpath or journalmatch in jail.local, or a label of the container; then: fail2ban-client reload',
  );
}

/** A jail watches or is stopped. */
export function noIdling(): Dock2banError {
  return refusal('dock2ban has no idle jails', 'fail2ban-client stop JAIL, and start JAIL');
}

/** The controller is the container's process. */
export function containersProcess(): Dock2banError {
  return refusal(
    'dock2ban is ended and started with its container',
    'docker stop dock2ban, docker restart dock2ban; for one jail: fail2ban-client stop JAIL',
  );
}

/** Jails come from the configuration and from labels. */
export function configuredJails(): Dock2banError {
  return refusal(
    'dock2ban adds no jails by command',
    'write it into jail.local or label its container; then: fail2ban-client reload',
  );
}
