import type { BanStatus, Controller, HandResult, JailStatus, Refused, Status } from '../../control/api.ts';
import type { SourceSpec } from '../../config/jail-spec.ts';
import type { Ban } from '../../jail/ban.ts';
import type { Jail } from '../../jail/jail.ts';
import { portNames } from '../events/describe.ts';
import type { NeverBanReason } from '../../firewall/bans/never-ban.ts';
import type { LiveControl } from '../../control/live-api.ts';
import type { Views } from '../../control/view-api.ts';
import type { Enforcer } from '../enforcing/enforcer.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Memory } from '../enforcing/carry-over.ts';
import type { JailRegistry } from '../jails/jail-registry.ts';

export interface HandControlParts {
  readonly registry: JailRegistry;
  readonly enforcer: Enforcer;
  readonly memory: Memory;
  readonly events: EventLog;
  readonly neverBan: (ip: string) => NeverBanReason | undefined;
  /** The log files that a source stands for now, or what it is called. */
  readonly logsOf: (source: SourceSpec) => readonly string[];
  readonly overview: () => Omit<Status, 'jails'>;
  readonly views: Views;
  readonly live: LiveControl;
  /** Told of each ban that was none before. */
  readonly banned: (ban: Ban) => void;
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
    return { ...this.#parts.overview(), jails: [...this.#parts.registry.active.keys()].toSorted() };
  }

  jail(name: string): JailStatus | undefined {
    const jail = this.#parts.registry.active.get(name)?.jail;
    if (!jail) return undefined;
    const { sources, containers } = jail.spec;
    return {
      jail: name,
      currentlyFailed: jail.currentlyFailed,
      totalFailed: jail.totalFailed,
      sources: [...new Set(sources.flatMap((source) => this.#parts.logsOf(source)))],
      containers,
      ports: portNames(jail.spec),
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
    const { registry, enforcer, memory, events, neverBan, banned, clock } = this.#parts;
    const jail = registry.active.get(name)?.jail;
    if (!jail) return undefined;
    const refused: Refused[] = [];
    const made: { ban: Ban; renewed: boolean }[] = [];
    for (const ip of ips) {
      const reason = neverBan(ip)?.text ?? ignoredBy(jail, ip);
      if (reason !== undefined) refused.push({ ip, reason: `not banned: ${reason}` });
      else {
        const result = jail.ban(ip, clock());
        if (result) made.push(result);
      }
    }
    const late = await enforcer.ban(made.map(({ ban }) => ban));
    const kept = made.filter(({ ban }) => !late.some(({ ip }) => ip === ban.ip));
    for (const { ban, renewed } of kept) {
      memory.keepBare(ban);
      events.ban(ban, undefined, renewed);
      if (!renewed) banned(ban);
    }
    return {
      count: kept.filter(({ renewed }) => !renewed).length,
      refused: [...refused, ...late.map(({ ip, reason }) => ({ ip, reason: `not banned: ${reason}` }))],
    };
  }

  async unban(name: string | undefined, ips: readonly string[]): Promise<HandResult | undefined> {
    const { registry, enforcer, memory, events } = this.#parts;
    const named = name === undefined ? undefined : registry.all.get(name);
    if (name !== undefined && (!named || !this.#shown(named))) return undefined;
    const jails = named ? [named] : [...registry.all.values()];
    const ended = jails.flatMap((jail) => {
      const bans = ips.length > 0 ? ips.flatMap((ip) => jail.bansWithin(ip)) : [...jail.bans.values()];
      return bans.flatMap(({ ip }) => jail.unban(ip) ?? []);
    });
    for (const ban of ended) memory.forget(ban);
    const waiting = named ? [] : this.#waiting(ips);
    for (const ban of waiting) memory.forget(ban);
    await enforcer.unban(ended);
    await enforcer.unbanIdle(waiting);
    for (const ban of ended) events.unban(ban, 'by hand');
    const refused = ips.flatMap((ip) =>
      jails.flatMap((jail) => jail.bansAround(ip).map((ban) => ({ ip, reason: coveredBy(ban) }))),
    );
    return { count: ended.length + waiting.length, refused };
  }

  /** Bans of jails that don't run: they would come into force when these start. @param ips empty: all */
  #waiting(ips: readonly string[]): readonly Pick<Ban, 'jail' | 'ip'>[] {
    const { registry, memory } = this.#parts;
    // At the very start nobody knows yet which jails run, and bans of the last run are in force without them.
    if (registry.all.size === 0) return [];
    const remembered = memory.bansOf(ips, (jail) => !registry.active.has(jail));
    // An address and a prefix that it is in may both be named.
    return [...new Map(remembered.map((ban) => [`${ban.jail} ${ban.ip}`, ban])).values()];
  }

  /** A stopped jail is of interest only while it bans. */
  #shown(jail: Jail): boolean {
    return this.#parts.registry.active.has(jail.name) || jail.bans.size > 0;
  }
}

/** The reason why a jail's `ignoreip` forbids a ban. */
function ignoredBy(jail: Jail, ip: string): string | undefined {
  const entry = jail.ignoredWithin(ip);
  if (entry === undefined) return undefined;
  return `it ${entry === ip ? 'is' : `overlaps ${entry}, which is`} in ignoreip of jail ${jail.name}`;
}

function coveredBy({ jail, ip }: Ban): string {
  return `still banned: jail ${jail} bans ${ip}, which covers it (dock2ban unban ${jail} ${ip})`;
}

function banStatus({ ip, since, until }: Ban): BanStatus {
  return {
    ip,
    since: new Date(since).toISOString(),
    until: until === undefined ? null : new Date(until).toISOString(),
  };
}
