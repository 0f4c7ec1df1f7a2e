import { Dock2banError } from '../errors.ts';

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

const fixes: Record<FirewallErrorCode, string> = {
  'firewall-missing-binary': 'install iptables (with its -nft and -legacy variants) and ipset',
  'firewall-permission':
    'run as root with the capabilities NET_ADMIN and NET_RAW, in the network namespace of the host (compose: network_mode: host, cap_add: [NET_ADMIN, NET_RAW])',
  'firewall-locked':
    "another program holds the xtables lock; it is tried again. With iptables-legacy, mount the host's /run/xtables.lock writable",
  'firewall-set-type': 'a set of this name exists with other properties; remove it: ipset destroy NAME',
  'firewall-set-full': 'the set holds as many addresses as it can; unban some, or shorten bantime',
  'firewall-not-found': 'somebody removed it meanwhile; it is made again at the next check',
  'firewall-kernel':
    'load the kernel modules ip_set, ip_set_hash_ip, xt_set, xt_conntrack (modprobe on the host)',
  'firewall-incompatible':
    "somebody wrote native nft rules into iptables' table, which iptables can no longer read; move them into a table of their own",
  'firewall-in-use': 'a rule that is not ours refers to it; remove that rule',
  'firewall-timeout': 'the machine is overloaded or the tool hangs; it is tried again',
  'firewall-refused': 'the kernel takes no such entry',
  'firewall-failed': 'see the message of the tool',
};

/**
 * What the tools print, in the C locale, and what it means. First match wins. Texts of ipset 7.17 and iptables 1.8.9, both variants, as
 * observed; older spellings from their sources.
 */
const meanings: readonly (readonly [RegExp, FirewallErrorCode])[] = [
  [
    /Operation not permitted|Permission denied|you must be root|Can't open socket to ipset/i,
    'firewall-permission',
  ],
  [/xtables lock|Can't lock|can't open lock file|Resource temporarily unavailable/i, 'firewall-locked'],
  [/set with the same name already exists|type does not match/i, 'firewall-set-type'],
  [/Hash is full|maximal number of sets/i, 'firewall-set-full'],
  [/is incompatible, use 'nft' tool/i, 'firewall-incompatible'],
  [/in use by a kernel component|Device or resource busy|CHAIN_(DEL|USER_DEL) failed/i, 'firewall-in-use'],
  [
    /missing kernel module|Couldn't load match|unable to initialize table|can't initialize ip6?tables table|Table does not exist|Kernel (support )?(protocol|module)|settype not supported|Cannot open session to kernel|No buffer space|Protocol not supported|Invalid argument\. Run `dmesg/i,
    'firewall-kernel',
  ],
  [
    /No chain\/target\/match by that name|matching rule exist|does not exist|doesn't exist|Couldn't load target|No such file or directory/i,
    'firewall-not-found',
  ],
  [/Syntax error|Null-valued element|cannot be (added|deleted|stored)/i, 'firewall-refused'],
];

/** Names the kind of a failure. The first line that says something becomes the message. */
export function classify(
  { command, stderr, timedOut, spawnCode }: ToolFailure,
  cause?: unknown,
): FirewallError {
  if (spawnCode === 'ENOENT') {
    return new FirewallError('firewall-missing-binary', `${command} is not installed`, { cause });
  }
  if (spawnCode === 'EACCES' || spawnCode === 'EPERM') {
    return new FirewallError('firewall-permission', `${command} cannot be started: ${spawnCode}`, { cause });
  }
  if (timedOut)
    return new FirewallError('firewall-timeout', `${command} did not finish in time`, { cause, stderr });
  const code = meanings.find(([text]) => text.test(stderr))?.[1] ?? 'firewall-failed';
  const said = stderr
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '' && !line.startsWith('#'));
  return new FirewallError(code, `${command}: ${said ?? 'failed without a word'}`, { cause, stderr });
}
