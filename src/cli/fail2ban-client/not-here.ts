import type { Dock2banError } from '../../errors.ts';
import { refusal } from './command.ts';

/** Options of fail2ban's server that dock2ban has at its start only, and where. */
const elsewhere: Readonly<Record<string, string>> = {
  loglevel: '--log-level',
  syslogsocket: '--syslog-listen and --syslog-file',
  dbfile: '--state-dir',
  dbmaxmatches: '--state-dir',
  dbpurgeage: '--state-dir',
  allowipv6: 'nothing: IPv6 is always on',
  thread: 'nothing: there is one thread',
};

/**
 * What `get` answers to an option of the server; undefined: it names a jail.
 * @throws Dock2banError for one that only dock2ban's start knows
 */
export function serverOption(name: string): string | undefined {
  if (name === 'logtarget') return 'Current logging target is:\n`- STDOUT';
  if (!Object.hasOwn(elsewhere, name)) return undefined;
  throw refusal(
    `dock2ban has no option ${name}`,
    `what comes nearest among the options of \`dock2ban run\`: ${elsewhere[name]}`,
  );
}

/** @throws Dock2banError if `name` is an option of the server: it is set where dock2ban is started */
export function refuseServerOption(name: string): void {
  if (name !== 'logtarget' && !Object.hasOwn(elsewhere, name)) return;
  throw refusal(
    `dock2ban's ${name} can't be set while it runs`,
    'set it by the options of `dock2ban run` (environment variables DOCK2BAN_…) and start it again',
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
