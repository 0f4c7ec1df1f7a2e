import type { Ban } from '../../jail/ban.ts';
import type { ExceededReport } from '../../filter/filter-options.ts';
import { localTime } from '../../text/local-time.ts';
import { info, warn } from './entry.ts';

/** What a jail is about. */
interface JailSummary {
  readonly containers: readonly string[];
  readonly ports: string;
  readonly sources: readonly string[];
}

type Key = Pick<Ban, 'jail' | 'ip'>;

/**
 * Events of jails. Their messages read as fail2ban's do.
 * @param dryRun bans are only reported
 */
export function jailEvents(dryRun: boolean) {
  const would = (what: string): string => (dryRun ? `Would ${what.toLowerCase()}` : what);
  return {
    jailStarted: (jail: string, what: JailSummary) =>
      info(
        'jail-started',
        { jail, ...what },
        `[${jail}] Started for ${what.containers.join(', ') || 'the host'}: ${workOf(what)}`,
      ),

    jailChanged: (jail: string, what: JailSummary) =>
      info(
        'jail-changed',
        { jail, ...what },
        `[${jail}] Changed: for ${what.containers.join(', ') || 'the host'}: ${workOf(what)}`,
      ),

    /** @param byHand its bans are lifted then; else they run on */
    jailStopped: (jail: string, bans: number, byHand: boolean) => {
      const why = byHand ? 'by hand' : 'no container or configuration uses it';
      const [its, are, expire] =
        bans === 1 ? ['its ban', 'is', 'expires'] : [`its ${bans} bans`, 'are', 'expire'];
      const then = byHand
        ? `${its} ${are} lifted`
        : `${its} ${are} kept until ${bans === 1 ? 'it' : 'they'} ${expire}`;
      return info('jail-stopped', { jail }, `[${jail}] Stopped: ${why}${bans > 0 ? `; ${then}` : ''}`);
    },

    /** @param time epoch milliseconds of the failure */
    found: (jail: string, ip: string, failures: number, time: number, container: string | undefined) =>
      info(
        'found',
        { jail, ip, failures, container },
        `[${jail}] Found ${ip} - ${localTime(new Date(time))}`,
      ),

    /** @param rule of the jail's configuration, as fail2ban names it */
    ignored: (jail: string, ip: string, rule: 'ignoreip' | 'command') =>
      info('ignored', { jail, ip, reason: rule }, `[${jail}] Ignore ${ip} by ${rule}`),

    /** @param reason a sentence about it, whatever the configuration says */
    neverBanned: (jail: string, ip: string, reason: string) =>
      info('ignored', { jail, ip, reason }, `[${jail}] Ignore ${ip}: ${reason}`),

    expired: (jail: string, ip: string) =>
      info('ignored', { jail, ip, reason: 'expired bantime' }, `[${jail}] Ignore ${ip}, expired bantime`),

    /** The log shows a gateway where the client should be: banning it would block everyone. */
    addressHidden: (jail: string, ip: string, reason: string, container: string | undefined) =>
      warn(
        'address-hidden',
        { jail, ip, reason, container },
        `[${jail}] ${ip} is not banned: ${reason}, so the log doesn't show the client's own address. ` +
          'Usual causes: an IPv6 client of an IPv4-only network (give the network IPv6), userland-proxy, rootless or Desktop Docker, ' +
          'Swarm ingress (publish with mode: host), or a proxy in front (let it pass the address on)',
      ),

    /**
     * @param failures undefined: banned by hand
     * @param container that logged the last failure, where that is known
     */
    ban: (ban: Ban, failures: number | undefined, renewed: boolean, container?: string) => {
      const { jail, ip } = ban;
      return info(
        'ban',
        { jail, ip, container, failures, ...lifetime(ban), ...(renewed && { renewed }) },
        `[${jail}] ${would(renewed ? 'Prolong' : 'Ban')} ${ip}`,
      );
    },

    /** The kernel saw no connection of the address: somebody else wrote its name into the log. @param line that would have led to the ban */
    banUncorroborated: (jail: string, ip: string, line: string, container: string | undefined) => {
      const shown = line.length > 500 ? `${line.slice(0, 500)}…` : line;
      // In quotes, so that no line can end the message as one of fail2ban's.
      return warn(
        'ban-uncorroborated',
        { jail, ip, container, line: shown },
        `[${jail}] ${ip} is not banned: it had no connection to the jail's ports, so the line is forged, or a proxy is in front ` +
          `(then set fail2ban.corroborate=off): ${JSON.stringify(shown)}`,
      );
    },

    /** A ban of an address that must not be banned at present. It is remembered. */
    banSuspended: ({ jail, ip }: Key, reason: string) =>
      warn(
        'ban-suspended',
        { jail, ip, reason },
        `[${jail}] Ban of ${ip} is suspended for as long as this applies: ${reason}`,
      ),

    banResumed: (ban: Ban) => {
      const { jail, ip } = ban;
      return info('ban-resumed', { jail, ip, ...lifetime(ban) }, `[${jail}] Ban of ${ip} is in force again`);
    },

    unban: ({ jail, ip }: Key, reason: 'expired' | 'by hand') =>
      info('unban', { jail, ip, reason }, `[${jail}] ${would('Unban')} ${ip}`),

    /** There were more bans than a jail holds. @param left as many as it has now */
    bansShed: (jail: string, count: number, left: number) =>
      warn(
        'bans-shed',
        { jail, count, left },
        `[${jail}] Lifted the ${count} bans that would have expired first, of ${count + left}: a jail holds no more ` +
          '(ban whole networks by hand, or shorten bantime)',
      ),

    /** A ban of an earlier run, found in the kernel or stored, or imported. */
    restore: (ban: Ban) => {
      const { jail, ip } = ban;
      return info('restore', { jail, ip, ...lifetime(ban) }, `[${jail}] ${would('Restore Ban')} ${ip}`);
    },

    /**
     * A line was too costly for a jail's filter.
     * @param text of the expression
     * @param others lines of the jail since the last event
     */
    filterExceeded: (
      jail: string,
      containers: readonly string[],
      { filter, kind, expression, length }: ExceededReport,
      text: string,
      others: number,
    ) => {
      const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
      const of = containers.length > 0 ? ` (containers: ${containers.join(', ')})` : '';
      return warn(
        'filter-exceeded',
        { jail, containers, filter, expression, text: shown, length, kind, others },
        `[${jail}] A line of ${length} characters ${exceededTexts[kind]}: ${expression} of filter ${filter}${of}: ${shown}` +
          (others > 0 ? `; so did ${others} lines since the last such event` : '') +
          ' (make the expression simpler: anchor it, avoid repeats within repeats, and use fewer expressions)',
      );
    },

    /** Failures of a jail count without its `ignorecommand` being asked. */
    ignoreCommandOverflow: (jail: string) =>
      warn(
        'ignorecommand-overflow',
        { jail },
        `[${jail}] Failures count without asking ignorecommand: too many wait for it (make it faster, or set ignorecache)`,
      ),
  };
}

function workOf({ sources, ports }: JailSummary): string {
  return `reads ${sources.join(', ') || 'no log yet'}; a ban closes ${ports === 'all' ? 'all ports' : ports}`;
}

const exceededTexts: Readonly<Record<ExceededReport['kind'], string>> = {
  search: 'took too long to search for one expression, which counts as not matched',
  line: 'took too long to search, and was ignored',
  'passed-over': 'was skipped, as lines like it take too long to search',
};

function lifetime({ since, until }: Ban): { bantime: number; until: string | null } {
  return until === undefined
    ? { bantime: -1, until: null }
    : { bantime: Math.round((until - since) / 1000), until: new Date(until).toISOString() };
}
