import { uptime } from 'node:os';
import { Wake } from '../async/wake.ts';
import type { LabelPolicy } from '../config/labels/label-policy.ts';
import type { ConnectDocker } from '../docker/engine/engine-client.ts';
import { CachingResolver } from '../filter/caching-resolver.ts';
import type { NeverBan } from '../firewall/bans/never-ban.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { Store, StoreOptions } from '../store/store.ts';
import { ClockSteps } from './enforcing/clock-steps.ts';
import { DockerState } from './docker-state.ts';
import { BanTimes } from './enforcing/ban-times.ts';
import { Bans } from './enforcing/bans.ts';
import { Corroboration } from './enforcing/corroboration.ts';
import { CarriedNotes } from './enforcing/carried-notes.ts';
import { Enforcer } from './enforcing/enforcer.ts';
import { NeverBanWatch } from './enforcing/never-ban-watch.ts';
import { Troubles } from './enforcing/troubles.ts';
import { EventFeed } from './events/event-feed.ts';
import { eventLog } from './events/event-log.ts';
import type { Logger } from './events/logger.ts';
import { countingOf } from './jails/counting.ts';
import { JailRegistry } from '../jail/jail-registry.ts';
import { JailRunner } from './jails/jail-runner.ts';
import { JailWorkshop, type SignOf } from './jails/jail-workshop.ts';
import { LiveJails } from './jails/live-jails.ts';
import type { Configuration } from './jails/steering.ts';
import { IgnoreRefresh } from './judging/ignore-refresh.ts';
import { Judge } from './judging/judge.ts';
import { Matching } from './judging/matching.ts';
import { Recidive } from './judging/recidive.ts';
import { HandControl } from './operator/controller.ts';
import { Health } from './operator/health.ts';
import { DaemonViews } from './operator/views.ts';
import type { JournalAccess } from './reading/journal-reader.ts';
import { LogSources } from './reading/log-sources.ts';
import type { ReceiverSettings } from './reading/receiver-reader.ts';
import type { Quarantine } from './quarantine.ts';

/** What the daemon is given; tests put their own in. */
export interface DaemonParts {
  readonly version: string;
  readonly logger: Logger;
  readonly connectDocker: ConnectDocker;
  /**
   * @param neverBan asked again right before every call to the kernel
   * @param engineBackend what the engine says that it makes its rules with; undefined: nothing, or it isn't known yet
   */
  readonly createFirewall: (neverBan: () => NeverBan, engineBackend: () => string | undefined) => Firewall;
  /** Addresses and prefixes that no jail bans. */
  readonly ignoreip?: readonly string[];
  /** The configuration as it was read at the start. */
  readonly resolve: Configuration;
  /** Reads the configuration again; without, it stays. */
  readonly reread?: () => Promise<Configuration>;
  /** Opens what bans and positions are remembered in. */
  readonly openStore: (hooks: Pick<StoreOptions, 'active' | 'counting' | 'report' | 'clock'>) => Store;
  /** What labels may do, of containers that don't run; `resolve` knows for those that do. */
  readonly labels?: LabelPolicy;
  /** What was refused before, and why the run before ended; default: nothing, and in order. */
  readonly quarantine?: Quarantine;
  /** Gives what a jail's filter shows while it is at work; default: it shows nothing. */
  readonly signOf?: SignOf;
  /** Whether bans are only reported; default: no. */
  readonly dryRun?: boolean;
  readonly syslogFile: string;
  /** Where syslog messages are received; undefined: nowhere. */
  readonly receiver?: ReceiverSettings;
  /** How the journal is reached; default: as systemd has it. */
  readonly journal?: JournalAccess;
  readonly clock?: () => number;
  /** Milliseconds since boot; default: the machine's, but the clock's where that is given. */
  readonly uptime?: () => number;
}

/** Makes everything, each from what was made before it. */
export function wire(parts: DaemonParts) {
  const { version, connectDocker, syslogFile, receiver, journal, labels, clock = Date.now } = parts;
  const sinceBoot = parts.uptime ?? parts.clock ?? ((): number => uptime() * 1000);
  const clockSteps = new ClockSteps(clock, sinceBoot);
  const feed = new EventFeed(clock);
  const events = eventLog(feed.tee(parts.logger), parts.dryRun);
  const docker = new DockerState(events);

  const registry = new JailRegistry();
  /** Set when the database can be read that couldn't be. */
  const readable = new Wake();
  const store = parts.openStore({
    active: () => registry.bans(),
    counting: countingOf(registry),
    report: (event) => {
      events.store(event);
      if (event.kind === 'resumed' && event.unread) readable.set();
    },
    clock,
  });
  const notes = new CarriedNotes(store.notes);

  const neverBan = new NeverBanWatch(() => docker.snapshot?.networks ?? notes.networks, parts.ignoreip);
  const firewall = parts.createFirewall(
    () => neverBan.current,
    () => docker.snapshot?.engine.firewallBackend,
  );
  const troubles = new Troubles(events);
  const corroboration = new Corroboration({ firewall, registry, store, events, clock });
  const bans = new Bans({ firewall, corroboration, neverBan, registry, store, events, troubles, clock });
  const enforcer = new Enforcer({ firewall, bans, registry, store, notes, troubles, events, clock });
  const banTimes = new BanTimes({ registry, bans, events, clockSteps, clock });

  const recidive = new Recidive(registry, clock);
  const judge = new Judge({ bans, recidive, store, events, clock });
  bans.subscribe((change) => {
    for (const { jail, failure } of recidive.feed(change)) judge.count(jail, [failure]);
  });

  const matching = new Matching(judge, clock);
  const { positions } = store;
  const reading = { syslogFile, receiver, journal, connectDocker, positions };
  const sources = new LogSources({ ...reading, registry, matching, judge, events, clock });

  const resolver = new CachingResolver();
  const workshop = new JailWorkshop({
    registry,
    judge,
    store,
    resolver,
    events,
    clock,
    signOf: parts.signOf,
  });
  const ignores = new IgnoreRefresh(resolver, events);
  const running = { docker, registry, workshop, neverBan, ignores, firewall };
  const runner = new JailRunner({ ...running, enforcer, sources, notes, events, labels });
  const { resolve: configuration, reread = async () => configuration } = parts;
  const deciding = {
    configuration,
    reread,
    docker,
    definers: notes.definers,
    runner,
  };
  const live = new LiveJails({ ...deciding, registry, enforcer, bans, judge, sources, events, clock });

  const views = new DaemonViews({ version, corroboration, registry, bans, store, feed, sources, clock });
  const health = new Health({ docker, sources, store, enforcer, uptime: sinceBoot });
  const control = new HandControl({
    version,
    docker,
    registry,
    enforcer,
    firewall,
    bans,
    store,
    sources,
    health,
    views,
    live,
    clock,
  });

  return {
    docker,
    store,
    readable,
    notes,
    firewall,
    neverBan,
    bans,
    enforcer,
    banTimes,
    sources,
    registry,
    runner,
    live,
    health,
    control,
    events,
  };
}
