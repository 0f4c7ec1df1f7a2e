import type { Ban } from '../jail/ban.ts';
import { AutoFirewall } from './auto.ts';
import { DockerUserFirewall } from './iptables/docker-user.ts';
import type { Tools } from './tool/exec.ts';
import type { Firewall } from './firewall.ts';
import { NetdevFirewall } from './nft/ingress-firewall.ts';
import { NetdevKeeper } from './nft/ingress-keeper.ts';
import type { NeverBan } from './bans/never-ban.ts';
import { NftablesFirewall } from './nft/nftables.ts';
import { lookForJump } from './iptables/probe.ts';
import { Tables } from './iptables/tables.ts';

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

/** The firewall that was asked for; with `auto`, the one that fits the engine at any time. Bans that an earlier run left in the other one move. */
export function chooseFirewall({
  choice,
  tools,
  neverBan,
  engineBackend,
  now = Date.now,
  procNet = '/proc/net',
}: EnforcingOptions): Firewall {
  const backends = {
    'docker-user': new DockerUserFirewall({ tools, neverBan, now, procNet }),
    nftables: new NftablesFirewall({ tools, neverBan, now }),
  };
  const firewall = new AutoFirewall({
    backends,
    fixed: choice === 'auto' ? undefined : choice,
    lookForJump: () => lookForJump(new Tables(tools, procNet)),
    engineBackend,
  });
  const bans = (): Iterable<Ban> => {
    const backend = firewall.info?.backend;
    return backend === undefined || backend === 'none' ? [] : backends[backend].bans;
  };
  return new NetdevFirewall(firewall, new NetdevKeeper({ tools, now, neverBan, bans, procNet }));
}
