import type { ClosedPort } from '../../src/config/jail-spec.ts';
import { DockerUserFirewall } from '../../src/firewall/iptables/docker-user.ts';
import type { Tools } from '../../src/firewall/tool/exec.ts';
import type { BanFirewall } from '../../src/firewall/firewall.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import { NftablesFirewall } from '../../src/firewall/nft/nftables.ts';
import type { Variant } from '../../src/firewall/iptables/tool.ts';
import type { Ban } from '../../src/jail/ban.ts';
import type { Netns } from './netns.ts';

/** Why these tests can't run here; undefined: they can. Printed, so that nobody takes a skipped run for a passed one. */
export function whyNotHere(): string | undefined {
  const reason =
    process.platform !== 'linux'
      ? 'netfilter needs Linux'
      : process.getuid?.() === 0
        ? undefined
        : 'they need root (network namespaces, iptables, ipset)';
  if (reason) process.stderr.write(`SKIPPED: kernel tests: ${reason}\n`);
  return reason;
}

export const published = (
  first: number,
  last = first,
  more: Partial<Pick<ClosedPort, 'protocol' | 'hostAddress'>> = {},
): ClosedPort => ({ protocol: 'tcp', first, last, hostAddress: undefined, ...more });

export function banFor(ip: string, seconds: number | undefined, jail: string): Ban {
  const now = Date.now();
  return { jail, ip, since: now, until: seconds === undefined ? undefined : now + seconds * 1000 };
}

/** What `openFirewall`'s firewalls may never ban. */
export const neverBan = new NeverBan({
  host: ['192.0.2.1'],
  gateways: ['172.17.0.1'],
  dockerSubnets: ['172.17.0.0/16'],
});

/** The backends that enforce. */
export const backends = ['docker-user', 'nftables'] as const;
export type Backend = (typeof backends)[number];

/** A firewall in a namespace, with the command lines it runs. */
export async function openFirewall(
  netns: Netns,
  backend: Backend = 'docker-user',
): Promise<{ firewall: BanFirewall; commands: string[] }> {
  const commands: string[] = [];
  const tools: Tools = {
    run: (command, args, options) => {
      commands.push([command, ...args].join(' '));
      return netns.tools.run(command, args, options);
    },
    converse: (command, args, listener) => netns.tools.converse(command, args, listener),
  };
  const firewall =
    backend === 'nftables'
      ? new NftablesFirewall({ tools, neverBan: () => neverBan })
      : new DockerUserFirewall({ tools, procNet: netns.procNet, neverBan: () => neverBan });
  await firewall.open();
  return { firewall, commands };
}

/**
 * The filter tables as an engine leaves them that uses iptables.
 * @param backend for `nftables` nothing is done: an engine that has that does not touch them
 */
export async function likeDocker(
  netns: Netns,
  variant: Variant,
  backend: Backend = 'docker-user',
): Promise<void> {
  if (backend === 'nftables') return;
  for (const program of [`iptables-${variant}-restore`, `ip6tables-${variant}-restore`]) {
    await netns.feed(
      '*filter\n:DOCKER-USER - [0:0]\n-I FORWARD 1 -j DOCKER-USER\n-A DOCKER-USER -j RETURN\nCOMMIT\n',
      program,
      '--noflush',
    );
  }
}

/** Both tables and all sets, without what differs from one listing to the next. */
export async function everything(netns: Netns, variant: Variant): Promise<string> {
  const texts = [
    await netns.sh(`iptables-${variant}-save`),
    await netns.sh(`ip6tables-${variant}-save`),
    await netns.sh('ipset', 'save'),
  ];
  return texts
    .join('\n')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\[\d+:\d+\]/g, '[0:0]');
}
