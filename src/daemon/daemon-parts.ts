import type { LabelPolicy } from '../config/labels/label-policy.ts';
import type { ConnectDocker } from '../docker/engine/engine-client.ts';
import type { FilterSpec } from '../filter/spec.ts';
import type { WorkSign } from '../filter/work-sign.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { NeverBan } from '../firewall/bans/never-ban.ts';
import type { Store, StoreOptions } from '../store/store.ts';
import type { JournalAccess } from './reading/journal-reader.ts';
import type { Logger } from './events/logger.ts';
import type { Quarantine } from './quarantine.ts';
import type { ReceiverSettings } from './reading/receiver-reader.ts';
import type { Configuration } from './jails/steering.ts';

/** What the daemon is made of; tests put their own in. */
export interface DaemonParts {
  readonly version: string;
  readonly logger: Logger;
  readonly connectDocker: ConnectDocker;
  /**
   * @param neverBan asked again right before every call to the kernel
   * @param engineBackend what the engine says that it makes its rules with; undefined: nothing, or it isn't known yet
   */
  readonly createFirewall: (neverBan: () => NeverBan, engineBackend: () => string | undefined) => Firewall;
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
  readonly signOf?: (jail: string, filter: FilterSpec) => WorkSign;
  readonly syslogFile: string;
  /** Where syslog messages are received; undefined: nowhere. */
  readonly receiver?: ReceiverSettings;
  /** How the journal is reached; default: as systemd has it. */
  readonly journal?: JournalAccess;
  readonly clock?: () => number;
  /** Milliseconds since boot; default: the machine's, but the clock's where that is given. */
  readonly uptime?: () => number;
}
