import { chooseFirewall } from '../../src/firewall/choose.ts';
import { systemTools, type Tools } from '../../src/firewall/tool/exec.ts';
import type { GuardedJail } from '../../src/firewall/firewall.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import type { Ban } from '../../src/jail/ban.ts';
import type { LabHost } from '../../test/lab/host.ts';

const jailCount = 20;
const neverBan = new NeverBan({ host: [], gateways: [], dockerSubnets: [] });

/** What fail2ban's action names its chain. */
const chain = 'f2b-bench';

/** A rule set whose cost is measured. */
export interface Variant {
  readonly name: string;
  readonly bans: number;
  /** Whose figures it is compared with; undefined: it is what others are compared with. */
  readonly than: string | undefined;
  /** Which part of that throughput it may lack; undefined: it may be anything. */
  readonly loss: number | undefined;
  install(host: LabHost): Promise<void>;
  remove(host: LabHost): Promise<void>;
}

/** Each behind the one that it is compared with. */
export const variants: readonly Variant[] = [
  { name: 'Docker alone', bans: 0, than: undefined, loss: undefined, install: nothing, remove: nothing },
  ...ours('docker-user'),
  ...ours('nftables'),
  fail2ban(0, 'Docker alone'),
  fail2ban(2000, name('fail2ban', 0)),
];

function ours(choice: 'docker-user' | 'nftables'): Variant[] {
  return [
    dock2ban(choice, 0, 'Docker alone', undefined),
    dock2ban(choice, 100_000, name(choice, 0), 0.05),
    dock2ban(choice, 0, name(choice, 0), 0.03, true),
  ];
}

function name(what: string, bans: number): string {
  return `${what}, ${bans.toLocaleString('en')} bans`;
}

async function nothing(): Promise<void> {}

/**
 * 20 jails that close the same ports, as if each container had several; the bans are spread over them.
 * @param isWatching whether the visitors of the first are noted
 */
function dock2ban(
  choice: 'docker-user' | 'nftables',
  bans: number,
  than: string,
  loss: number | undefined,
  isWatching = false,
): Variant {
  const open = (host: LabHost) =>
    chooseFirewall({
      choice,
      tools: toolsOf(host),
      procNet: `/proc/${host.pid}/net`,
      neverBan: () => neverBan,
      engineBackend: () => undefined,
    });
  const jails = Array.from({ length: jailCount }, (_, i): GuardedJail => ({
    name: `jail${i}`,
    closes: [port('tcp', 80), port('tcp', 443), port('udp', 9)],
    blocktype: 'drop',
    ...(isWatching && i === 0 && { watch: { ports: [port('tcp', 80), port('tcp', 443)], seconds: 600 } }),
  }));
  return {
    name: isWatching ? `${choice}, connections noted` : name(choice, bans),
    bans,
    than,
    loss,
    install: async (host) => {
      const firewall = open(host);
      await firewall.open();
      await firewall.takeOver(jails.map((jail) => jail.name));
      const { shortfalls } = await firewall.reconcile(jails);
      if (shortfalls[0]) throw shortfalls[0].error;
      await firewall.ban(bansOf(bans));
      await firewall.close();
    },
    remove: async (host) => {
      const firewall = open(host);
      await firewall.open();
      await firewall.flush();
      await firewall.close();
    },
  };
}

/** One rule a ban, as fail2ban's iptables-multiport makes them, each above the ones before. */
function fail2ban(bans: number, than: string): Variant {
  const jumps = [
    `DOCKER-USER -p tcp -m multiport --dports 80,443 -j ${chain}`,
    `DOCKER-USER -p udp -m multiport --dports 9 -j ${chain}`,
  ];
  const restore = async (host: LabHost, lines: readonly string[]): Promise<void> => {
    const input = ['*filter', ...lines, 'COMMIT', ''].join('\n');
    await host.exec(['iptables-restore', '--wait', '--noflush'], { input });
  };
  return {
    name: name('fail2ban', bans),
    bans,
    than,
    loss: undefined,
    install: async (host) => {
      const rules = Array.from(
        { length: bans },
        (_, i) => `-A ${chain} -s ${address(i)}/32 -j REJECT --reject-with icmp-port-unreachable`,
      );
      const made = [`:${chain} - [0:0]`, ...rules.toReversed(), `-A ${chain} -j RETURN`];
      await restore(host, [...made, ...jumps.map((jump) => `-I ${jump}`)]);
    },
    remove: async (host) =>
      restore(host, [`:${chain} - [0:0]`, ...jumps.map((jump) => `-D ${jump}`), `-X ${chain}`]),
  };
}

function port(protocol: 'tcp' | 'udp', first: number) {
  return { protocol, first, last: first, hostAddress: undefined };
}

function bansOf(count: number): Ban[] {
  const now = Date.now();
  return Array.from({ length: count }, (_, i) => ({
    jail: `jail${i % jailCount}`,
    ip: address(i),
    since: now,
    until: now + 86_400_000,
  }));
}

/** None of a client's. */
function address(i: number): string {
  return `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
}

/** The system's tools, working in the host's network namespace. */
function toolsOf(host: LabHost): Tools {
  const enter = (command: string, args: readonly string[]): string[] => [
    '--target',
    String(host.pid),
    '--net',
    command,
    ...args,
  ];
  return {
    run: (command, args, options) => systemTools.run('nsenter', enter(command, args), options),
    converse: (command, args, listener) => systemTools.converse('nsenter', enter(command, args), listener),
  };
}
