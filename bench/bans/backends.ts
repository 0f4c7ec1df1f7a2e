import { DockerUserFirewall } from '../../src/firewall/iptables/docker-user.ts';
import type { BanFirewall } from '../../src/firewall/firewall.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import { NftablesFirewall } from '../../src/firewall/nft/nftables.ts';
import type { Netns } from '../../test/kernel/netns.ts';

const neverBan = new NeverBan({
  host: ['192.0.2.1', '2001:db8:ffff::1'],
  gateways: ['172.17.0.1'],
  dockerSubnets: ['172.17.0.0/16'],
});

/** What can be measured: a firewall, not yet opened, that works in a namespace. */
export const backends: Readonly<Record<string, (netns: Netns) => BanFirewall>> = {
  'docker-user': ({ tools, procNet }) => new DockerUserFirewall({ tools, procNet, neverBan: () => neverBan }),
  nftables: ({ tools }) => new NftablesFirewall({ tools, neverBan: () => neverBan }),
};
