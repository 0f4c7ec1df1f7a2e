import type { BanDetail, LogEvent, Why, WhyJail } from '../../control/api.ts';
import type { EventSource } from '../../control/controller.ts';
import type { Ban } from '../../jail/ban.ts';
import type { Jail } from '../../jail/jail.ts';
import { offenderOf } from '../../jail/offender.ts';
import type { Store } from '../../store/store.ts';
import { isActive, type BanRecord } from '../../store/stored-ban.ts';
import type { Bans } from '../enforcing/bans.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import { iso, isoEnd } from './iso.ts';

export interface WhyParts {
  readonly registry: JailRegistry;
  readonly store: Store;
  readonly events: EventSource;
  readonly bans: Pick<Bans, 'neverBan'>;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Most events shown of an address, newest first. */
const mostEvents = 50;
/** Where an event's JSON may name its address; in a text, quotation marks are escaped. */
const ipField = /"ip":"([^"\\]+)"/g;
/** Most bans shown within a prefix. */
const mostBans = 100;

/** Everything that concerns a canonical address or prefix. */
export function why(ip: string, parts: WhyParts): Why {
  const { registry, events, bans: road } = parts;
  const known = [...registry.all.values()].map((jail) => whyJail(ip, jail, parts));
  const jails = [...known, ...otherJails(ip, parts)].filter(concerns);
  const names = new Set([
    ip,
    ...jails.flatMap(({ countsAs, bans }) => [countsAs, ...bans.map((ban) => ban.ip)]),
  ]);
  return { ip, neverBanned: road.neverBan(ip)?.text ?? null, jails, events: eventsOf(names, events) };
}

function whyJail(ip: string, jail: Jail, { registry, store, bans: road, clock }: WhyParts): WhyJail {
  const isProtected = (prefix: string): boolean =>
    jail.ignoredWithin(prefix) !== undefined || road.neverBan(prefix) !== undefined;
  const countsAs = ip.includes('/') ? ip : offenderOf(ip, jail.spec.ipv6prefix, isProtected);
  const failures = jail.failuresOf(ip);
  const bans = new Map<string, Ban>();
  for (const name of new Set([ip, countsAs])) {
    for (const ban of [...jail.bansWithin(name), ...jail.bansAround(name)]) bans.set(ban.ip, ban);
  }
  return {
    jail: jail.name,
    active: registry.active.has(jail.name),
    countsAs,
    failures: failures
      ? {
          count: failures.count,
          maxretry: jail.spec.maxretry,
          first: iso(failures.first),
          last: iso(failures.last),
          lines: failures.lines,
        }
      : null,
    bans: [...bans.values()].slice(0, mostBans).map((ban) => detail(ban, store)),
    past: past(jail.name, [ip, countsAs], store, clock(), bans),
    ignoredBy: jail.ignoredWithin(ip) ?? null,
  };
}

/** Jails that don't run but have something stored. */
function otherJails(ip: string, { registry, store, clock }: WhyParts): WhyJail[] {
  const now = clock();
  const records = store.of(ip).filter(({ jail }) => !registry.all.has(jail));
  return [...new Set(records.map(({ jail }) => jail))].map((jail) => ({
    jail,
    active: false,
    countsAs: ip,
    failures: null,
    bans: records
      .filter((record) => record.jail === jail && isActive(record, now))
      .map((record) => detail(record, store)),
    past: past(jail, [ip], store, now, new Map()),
    ignoredBy: null,
  }));
}

function past(
  jail: string,
  ips: readonly string[],
  store: Store,
  now: number,
  inForce: ReadonlyMap<string, Ban>,
): BanDetail[] {
  const records: BanRecord[] = [...new Set(ips)].flatMap((ip) => store.of(ip));
  return records
    .filter((record) => record.jail === jail && !isActive(record, now) && !inForce.has(record.ip))
    .map((record) => detail(record, store));
}

function detail({ jail, ip, since, until }: Ban, store: Store): BanDetail {
  const stored = store.get(jail, ip);
  return {
    ip,
    since: iso(since),
    until: isoEnd(until),
    count: stored?.count ?? null,
    failures: stored?.failures ?? null,
    container: stored?.container ?? null,
    lines: stored?.lines ?? [],
  };
}

function concerns({ failures, bans, past: over, ignoredBy }: WhyJail): boolean {
  return failures !== null || bans.length > 0 || over.length > 0 || ignoredBy !== null;
}

/** The newest events of any of these addresses; each event is searched once, however many addresses there are. */
function eventsOf(ips: ReadonlySet<string>, source: EventSource): LogEvent[] {
  const found: LogEvent[] = [];
  for (const { json } of source.after(0).toReversed()) {
    if (found.length === mostEvents) break;
    if (!json.matchAll(ipField).some(([, ip]) => ips.has(ip!))) continue;
    const event: LogEvent = JSON.parse(json);
    // Text within another field may look like one.
    if (event.ip !== undefined && ips.has(event.ip)) found.push(event);
  }
  return found.toReversed();
}
