import { Dock2banError } from '../../errors.ts';

/** Why a firewall tool failed; each kind has one remedy. */
export type FirewallErrorCode =
  | 'firewall-missing-binary'
  | 'firewall-permission'
  | 'firewall-locked'
  | 'firewall-set-type'
  | 'firewall-set-full'
  | 'firewall-not-found'
  | 'firewall-kernel'
  | 'firewall-incompatible'
  | 'firewall-in-use'
  | 'firewall-timeout'
  | 'firewall-refused'
  | 'firewall-failed';

/** What a tool left behind when it failed. */
export interface ToolFailure {
  readonly command: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** The operating system could not start it: ENOENT, EACCES, … */
  readonly spawnCode: string | undefined;
}

/** A firewall tool failed. `stderr` is what it said, for those who must read more out of it (the line that was refused). */
export class FirewallError extends Dock2banError {
  declare readonly code: FirewallErrorCode;
  readonly stderr: string;

  constructor(
    code: FirewallErrorCode,
    message: string,
    options: { fix?: string; cause?: unknown; stderr?: string } = {},
  ) {
    super(code, message, { fix: fixes[code], ...options });
    this.name = 'FirewallError';
    this.stderr = options.stderr ?? '';
  }
}

/** Whether a failure to look means that nothing of ours is there: the tool isn't installed, or the kernel doesn't have what it is for. */
export function isWithoutTraces(error: unknown): error is FirewallError {
  if (!(error instanceof FirewallError)) return false;
  return error.code === 'firewall-missing-binary' || error.code === 'firewall-kernel';
}

const fixes: Record<FirewallErrorCode, string> = {
  'firewall-missing-binary': 'install iptables (with its -nft and -legacy variants) and ipset',
  'firewall-permission':
    'run as root with the capabilities NET_ADMIN and NET_RAW, in the network namespace of the host (compose: network_mode: host, cap_add: [NET_ADMIN, NET_RAW])',
  'firewall-locked':
    "another program holds the xtables lock; retrying. With iptables-legacy, mount the host's /run/xtables.lock writable",
  'firewall-set-type': 'a set of this name exists with other properties; remove it: ipset destroy NAME',
  'firewall-set-full': 'the set holds as many addresses as it can; unban some, or shorten bantime',
  'firewall-not-found': 'it was removed from outside; the next check makes it again',
  'firewall-kernel':
    'load the kernel modules ip_set, ip_set_hash_net, xt_set, xt_conntrack (modprobe on the host); a kernel without them may have nftables: DOCK2BAN_FIREWALL=nftables',
  'firewall-incompatible':
    'iptables can no longer read its table, since it holds native nft rules of another program; move them into a table of their own',
  'firewall-in-use': 'a rule that is not ours refers to it; remove that rule',
  'firewall-timeout': 'the machine is overloaded or the tool hangs; retrying',
  'firewall-refused': 'the kernel does not accept such an entry',
  'firewall-failed': 'see the message of the tool',
};

/** Where nft needs another remedy than ipset and iptables do. */
const nftFixes: Partial<Record<FirewallErrorCode, string>> = {
  'firewall-missing-binary': 'install nftables, built with JSON support',
  'firewall-permission':
    'run as root with the capability NET_ADMIN, in the network namespace of the host (compose: network_mode: host, cap_add: [NET_ADMIN])',
  'firewall-locked': 'another program keeps changing the rules; retrying',
  'firewall-set-type': 'the next check makes the set again',
  'firewall-kernel':
    'load the kernel modules nf_tables, nf_conntrack, nft_ct, nft_reject_inet (modprobe on the host); a kernel without them may have ipset: DOCK2BAN_FIREWALL=docker-user',
};

/**
 * What the tools print, in the C locale, and what it means. First match wins. Texts of ipset 7.17, iptables 1.8.9 (both variants) and nft 1.0.6, as
 * observed; older spellings from their sources.
 */
const meanings: readonly (readonly [RegExp, FirewallErrorCode])[] = [
  [/JSON support not compiled/i, 'firewall-missing-binary'],
  [
    /Operation not permitted|Permission denied|you must be root|Can't open socket to ipset/i,
    'firewall-permission',
  ],
  [/xtables lock|Can't lock|can't open lock file|Resource temporarily unavailable/i, 'firewall-locked'],
  [/set with the same name already exists|type does not match|: File exists/i, 'firewall-set-type'],
  [/Hash is full|maximal number of sets|Too many open files in system/i, 'firewall-set-full'],
  [/is incompatible, use 'nft' tool/i, 'firewall-incompatible'],
  [/in use by a kernel component|Device or resource busy|CHAIN_(DEL|USER_DEL) failed/i, 'firewall-in-use'],
  [
    /missing kernel module|Couldn't load match|unable to initialize table|can't initialize ip6?tables table|Table does not exist|Kernel (support )?(protocol|module)|set ?type (does )?not supported|Protocol family not supported by the set type|Kernel error received: (Invalid argument|ipset protocol error)|generation id: Invalid argument|Address family not supported|Cannot open session to kernel|No buffer space|Protocol not supported|Operation not supported|Unable to initialize Netlink|cache initialization failed|Invalid argument\. Run `dmesg/i,
    'firewall-kernel',
  ],
  [
    /No chain\/target\/match by that name|matching rule exist|does not exist|doesn't exist|Couldn't load target|No such file or directory/i,
    'firewall-not-found',
  ],
  [
    /Syntax error|Value too large|Could not resolve hostname|Null-valued element|cannot be (added|deleted|stored)|CIDR parameter of the IP address is invalid/i,
    'firewall-refused',
  ],
];

/** Names the kind of a failure. The first line that says something becomes the message. */
export function classify(failure: ToolFailure, cause?: unknown): FirewallError {
  const { command, stderr } = failure;
  const { code, message } = diagnose(failure);
  const fix = command === 'nft' ? nftFixes[code] : undefined;
  return new FirewallError(code, message, { cause, stderr, ...(fix === undefined ? {} : { fix }) });
}

function diagnose({ command, stderr, timedOut, spawnCode }: ToolFailure): {
  code: FirewallErrorCode;
  message: string;
} {
  if (spawnCode === 'ENOENT') {
    return { code: 'firewall-missing-binary', message: `${command} is not installed` };
  }
  if (spawnCode === 'EACCES' || spawnCode === 'EPERM') {
    return { code: 'firewall-permission', message: `${command} cannot be started: ${spawnCode}` };
  }
  if (timedOut) return { code: 'firewall-timeout', message: `${command} did not finish in time` };
  const code = meanings.find(([text]) => text.test(stderr))?.[1] ?? 'firewall-failed';
  const said = stderr
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '' && !line.startsWith('#'));
  return { code, message: `${command}: ${said ?? 'failed with no output'}` };
}
