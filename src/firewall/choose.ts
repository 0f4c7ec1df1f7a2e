import { AutoFirewall } from './auto.ts';
import type { BackendOptions } from './backend.ts';
import type { Firewall } from './firewall.ts';
import { DockerUserFirewall } from './iptables/docker-user.ts';
import { lookForJump } from './iptables/probe.ts';
import { IptablesTool } from './iptables/tool.ts';
import { ingressTable } from './nft/ingress-plan.ts';
import { IngressFirewall } from './nft/ingress.ts';
import { NftKeeper } from './nft/keeper.ts';
import { NftablesFirewall } from './nft/nftables.ts';
import { Visitors } from './visitors/visitors.ts';
import { WatchingFirewall } from './visitors/watching-firewall.ts';

export interface EnforcingOptions extends BackendOptions {
  readonly choice: 'auto' | 'docker-user' | 'nftables';
  /** `FirewallBackend.Driver` of the engine's last answer to `GET /info`; undefined: none yet, or it doesn't say. */
  readonly engineBackend: () => string | undefined;
}

/** The firewall that was asked for; with `auto`, the one that fits the engine at any time. Bans that an earlier run left in the other one move. */
export function chooseFirewall({ choice, engineBackend, ...options }: EnforcingOptions): Firewall {
  const { tools, procNet = '/proc/net' } = options;
  const auto = new AutoFirewall({
    backends: {
      'docker-user': new DockerUserFirewall(options),
      nftables: new NftablesFirewall(options),
    },
    fixed: choice === 'auto' ? undefined : choice,
    lookForJump: () => lookForJump(new IptablesTool(tools, procNet)),
    engineBackend,
  });
  const enforcing = new IngressFirewall(auto, new NftKeeper(ingressTable, options), procNet);
  return new WatchingFirewall(enforcing, new Visitors(options));
}
