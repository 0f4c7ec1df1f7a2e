import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';

/** The host's address on the lab's network, from documentation ranges as all of the lab's addresses. */
export const hostAddresses = { ip4: '192.0.2.1', ip6: '2001:db8:0:1::1' } as const;

/** The router's link-local address on every client's link. */
const router6 = 'fe80::1';

/** A router; IPv6 addresses are usable at once, so that tests need not wait for duplicate address detection. */
const hostSettings = [
  'net.ipv4.ip_forward=1',
  'net.ipv6.conf.all.forwarding=1',
  'net.ipv6.conf.default.forwarding=1',
  'net.ipv6.conf.all.accept_dad=0',
  'net.ipv6.conf.default.accept_dad=0',
];

/** What `ip -batch` is given, run in the network namespace of a process. */
async function ip(pid: number, ...commands: string[]): Promise<void> {
  await execa('nsenter', ['--target', String(pid), '--net', 'ip', '-batch', '-'], {
    input: `${commands.join('\n')}\n`,
  });
}

/** Gives the host its addresses and lets it forward. No interface leads out of the lab. */
export async function setUpHostNetwork(pid: number): Promise<void> {
  await ip(
    pid,
    'link set lo up',
    `addr add ${hostAddresses.ip4}/32 dev lo`,
    `addr add ${hostAddresses.ip6}/128 dev lo nodad`,
  );
  await execa('nsenter', ['--target', String(pid), '--net', 'sysctl', '-q', '-w', ...hostSettings]);
}

/**
 * Connects a client's network namespace to the host's. The interfaces vanish with either namespace.
 *
 * @param device the interface's name on the host
 */
export async function connectClient(
  hostPid: number,
  clientPid: number,
  device: string,
  addresses: { readonly ip4: string; readonly ip6: string },
): Promise<void> {
  await execa('ip', [
    'link',
    'add',
    'name',
    device,
    'netns',
    String(hostPid),
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    String(clientPid),
  ]);
  await ip(
    hostPid,
    `addr add ${router6}/64 dev ${device} nodad`,
    `link set ${device} up`,
    `route add ${addresses.ip4}/32 dev ${device}`,
    `route add ${addresses.ip6}/128 dev ${device}`,
  );
  await ip(
    clientPid,
    'link set lo up',
    `addr add ${addresses.ip4}/32 dev eth0`,
    `addr add ${addresses.ip6}/128 dev eth0 nodad`,
    'link set eth0 up',
    `route add default via ${hostAddresses.ip4} dev eth0 onlink`,
    `route add default via ${router6} dev eth0`,
  );
  await Promise.all([linkIsUp(hostPid, device), linkIsUp(clientPid, 'eth0')]);
}

/** The kernel may take a second to notice a new link's carrier; until then it drops what is sent. */
async function linkIsUp(pid: number, device: string): Promise<void> {
  const show = ['--target', String(pid), '--net', 'ip', '-oneline', 'link', 'show', 'dev', device];
  for (const deadline = Date.now() + 5000; ;) {
    const { stdout } = await execa('nsenter', show);
    if (stdout.includes(' state UP ')) return;
    if (Date.now() > deadline) throw new Error(`the link ${device} did not come up: ${stdout}`);
    await delay(20);
  }
}

/** Removes what `connectClient` made, so that another client may have the addresses at once. */
export async function disconnectClient(hostPid: number, device: string): Promise<void> {
  await execa('nsenter', ['--target', String(hostPid), '--net', 'ip', 'link', 'delete', device], {
    reject: false,
  });
}
