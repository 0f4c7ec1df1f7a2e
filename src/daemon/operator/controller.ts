import type { BanStatus, HandResult, JailStatus, Status } from '../../control/api.ts';
import type { Controller, LiveControl, Views } from '../../control/controller.ts';
import type { BanKey, Firewall } from '../../firewall/firewall.ts';
import type { Ban } from '../../jail/ban.ts';
import type { Jail } from '../../jail/jail.ts';
import { contains } from '../../net/address.ts';
import type { Store } from '../../store/store.ts';
import { isActive } from '../../store/stored-ban.ts';
import type { DockerState } from '../docker-state.ts';
import type { Bans } from '../enforcing/bans.ts';
import type { Enforcer } from '../enforcing/enforcer.ts';
import { accessStatus } from '../events/access-log.ts';
import { portNames } from '../events/describe.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import type { LogSources } from '../reading/log-sources.ts';
import type { Health } from './health.ts';
import { iso, isoEnd } from './iso.ts';

export interface HandControlParts {
  readonly version: string;
  readonly docker: DockerState;
  readonly registry: JailRegistry;
  readonly enforcer: Enforcer;
  readonly firewall: Firewall;
  readonly bans: Bans;
  readonly store: Store;
  readonly sources: LogSources;
  readonly health: Health;
  readonly views: Views;
  readonly live: LiveControl;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** What the operator sees and does over the control socket. */
export class HandControl implements Controller {
  readonly #parts: HandControlParts;

  constructor(parts: HandControlParts) {
    this.#parts = parts;
  }

  get views(): Views {
    return this.#parts.views;
  }

  get live(): LiveControl {
    return this.#parts.live;
  }

  status(): Status {
    const { version, docker, registry, enforcer, sources, health } = this.#parts;
    const { info, troubles } = enforcer;
    return {
      version,
      docker: {
        connected: docker.isConnected,
        version: docker.snapshot?.engine.version ?? null,
        ...(docker.troubles.length > 0 && { troubles: docker.troubles }),
      },
      firewall: {
        backend: info?.backend ?? 'unavailable',
        healthy: info !== undefined && troubles.length === 0,
        troubles,
      },
      unhealthy: health.faults,
      sources: sources.counts,
      access: enforcer.appliedAccess.map(accessStatus),
      jails: [...registry.active.keys()].toSorted(),
    };
  }

  jail(name: string): JailStatus | undefined {
    const jail = this.#parts.registry.active.get(name)?.jail;
    if (!jail) return undefined;
    const { sources, containers, corroboration } = jail.spec;
    const doubt = 'off' in corroboration ? corroboration.off : this.#parts.firewall.unwatched;
    return {
      jail: name,
      currentlyFailed: jail.currentlyFailed,
      totalFailed: jail.totalFailed,
      sources: [...new Set(sources.flatMap((source) => this.#parts.sources.logsOf(source)))],
      containers,
      ports: portNames(jail.spec),
      corroboration: doubt === undefined ? 'on' : `off: ${doubt}`,
      currentlyBanned: jail.bans.size,
      totalBanned: jail.totalBans,
      banned: [...jail.bans.values()].map(banStatus),
    };
  }

  banned(): Record<string, string[]> {
    const jails = [...this.#parts.registry.all.values()];
    return Object.fromEntries(
      jails.filter((jail) => this.#shown(jail)).map((jail) => [jail.name, [...jail.bans.keys()]]),
    );
  }

  async ban(name: string, ips: readonly string[]): Promise<HandResult | undefined> {
    const { registry, bans } = this.#parts;
    const jail = registry.active.get(name)?.jail;
    if (!jail) return undefined;
    const fresh = new Set(ips.filter((ip) => !jail.bans.has(ip)));
    const refused = await bans.bringIntoForce(
      ips.map((ip) => ({ jail: name, ip })),
      'hand',
    );
    for (const { ip } of refused) fresh.delete(ip);
    return {
      count: fresh.size,
      refused: refused.map(({ ip, reason }) => ({ ip, reason: `not banned: ${reason}` })),
    };
  }

  async unban(name: string | undefined, ips: readonly string[]): Promise<HandResult | undefined> {
    const { registry, enforcer, bans } = this.#parts;
    const named = name === undefined ? undefined : registry.all.get(name);
    if (name !== undefined && (!named || !this.#shown(named))) return undefined;
    const jails = named ? [named] : [...registry.all.values()];
    const ended = jails.flatMap((jail) => {
      const within = ips.length > 0 ? ips.flatMap((ip) => jail.bansWithin(ip)) : [...jail.bans.values()];
      return within.flatMap(({ ip }) => jail.unban(ip) ?? []);
    });
    // These leave the store at once, so they aren't counted as idle.
    const lifted = bans.lift(ended, 'by hand');
    const idle = named ? [] : this.#idle(ips);
    await Promise.all([lifted, enforcer.forget(idle)]);
    const refused = ips.flatMap((ip) =>
      jails.flatMap((jail) => jail.bansAround(ip).map((ban) => ({ ip, reason: coveredBy(ban) }))),
    );
    return { count: ended.length + idle.length, refused };
  }

  /**
   * The bans in force of jails that don't run: they would come into force when these start.
   * @param ips with all that is in prefixes; empty: all
   */
  #idle(ips: readonly string[]): readonly BanKey[] {
    const { registry, store, clock } = this.#parts;
    // At the very start it isn't known which jails run, while bans of the last run are already in force.
    if (registry.all.size === 0) return [];
    const now = clock();
    const isIdle = ({ jail }: BanKey): boolean => !registry.active.has(jail);
    const prefixes = ips.filter((ip) => ip.includes('/'));
    const found: BanKey[] = ips
      .filter((ip) => !ip.includes('/'))
      .flatMap((ip) => store.of(ip))
      .filter((ban) => isActive(ban, now) && isIdle(ban));
    if (ips.length === 0 || prefixes.length > 0) {
      for (const ban of store.bans(now)) {
        const isMeant = ips.length === 0 || prefixes.some((prefix) => contains(prefix, ban.ip));
        if (isMeant && isIdle(ban)) found.push(ban);
      }
    }
    // An address and a prefix that it is in may both be named.
    return [...new Map(found.map(({ jail, ip }) => [`${jail} ${ip}`, { jail, ip }])).values()];
  }

  /** A stopped jail is of interest only while it bans. */
  #shown(jail: Jail): boolean {
    return this.#parts.registry.active.has(jail.name) || jail.bans.size > 0;
  }
}

function coveredBy({ jail, ip }: Ban): string {
  return `still banned: jail ${jail} bans ${ip}, which covers it (dock2ban unban ${jail} ${ip})`;
}

function banStatus({ ip, since, until }: Ban): BanStatus {
  return {
    ip,
    since: iso(since),
    until: isoEnd(until),
  };
}
