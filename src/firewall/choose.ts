import { AutoFirewall } from './auto.ts';
import { DockerUserFirewall } from './docker-user.ts';
import type { Tools } from './exec.ts';
import type { Firewall } from './firewall.ts';
import type { NeverBan } from './never-ban.ts';
import { NftablesFirewall } from './nftables.ts';
import { lookForJump } from './probe.ts';
import { Tables } from './tables.ts';

export interface EnforcingOptions {
  readonly choice: 'auto' | 'docker-user' | 'nftables';
  readonly tools: Tools;
  /** The addresses that may not be banned at this moment; a new object when they change. */
  readonly neverBan: () => NeverBan;
  /** `FirewallBackend.Driver` of the engine's last answer to `GET /info`; undefined: none yet, or it doesn't say. */
  readonly engineBackend: () => string | undefined;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** `/proc/net` of the network namespace in which the tools work. */
  readonly procNet?: string;
}

/** The firewall that was asked for; with `auto`, the one that fits the engine at any time. */
export function chooseFirewall({
  choice,
  tools,
  neverBan,
  engineBackend,
  now = Date.now,
  procNet = '/proc/net',
}: EnforcingOptions): Firewall {
  const dockerUser = new DockerUserFirewall({ tools, neverBan, now, procNet });
  const nftables = new NftablesFirewall({ tools, neverBan, now });
  switch (choice) {
    case 'docker-user':
      return dockerUser;
    case 'nftables':
      return nftables;
    case 'auto':
      return new AutoFirewall({
        backends: { 'docker-user': dockerUser, nftables },
        lookForJump: () => lookForJump(new Tables(tools, procNet)),
        engineBackend,
      });
  }
}
