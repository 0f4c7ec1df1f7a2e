import { access, constants, readFile, stat, statfs } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { dirname } from 'node:path';
import { canonicalAddress } from '../../net/address.ts';
import { localAddresses } from '../../net/local-addresses.ts';

/** Whether the state directory can be used; `temporary`: it is written inside of a container, and ends with it. */
export type StateDirectory = 'writable' | 'temporary' | 'missing' | 'read-only';

/** What this process can do and see on the host. */
export interface HostFacts {
  /** Numbers of linux/capability.h that this process has in effect; undefined: it can't be told. */
  readonly capabilities: bigint | undefined;
  /** All addresses of this network namespace. */
  readonly addresses: readonly string[];
  readonly stateDirectory: StateDirectory;
}

/** `CAP_…` of linux/capability.h. */
export const capability = { NET_ADMIN: 12n, NET_RAW: 13n } as const;

export async function readHost(stateDir: string): Promise<HostFacts> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const effective = /^CapEff:\s*([\da-f]+)/m.exec(status)?.[1];
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return {
    capabilities: effective === undefined ? undefined : BigInt(`0x${effective}`),
    addresses: [
      ...new Set([
        ...interfaces.flatMap(({ address }) => canonicalAddress(address) ?? []),
        ...localAddresses(),
      ]),
    ],
    stateDirectory: await stateOf(stateDir),
  };
}

/** TMPFS_MAGIC of linux/magic.h. */
const tmpfs = 0x01021994;

async function stateOf(directory: string): Promise<StateDirectory> {
  if (!(await exists(directory))) return (await isWritable(dirname(directory))) ? 'missing' : 'read-only';
  if (!(await isWritable(directory))) return 'read-only';
  // On the same device as the root of a container, it is the container's own.
  const isContainers = (await exists('/.dockerenv')) && (await isOnRootDevice(directory));
  return isContainers || (await statfs(directory)).type === tmpfs ? 'temporary' : 'writable';
}

async function isOnRootDevice(directory: string): Promise<boolean> {
  const [one, root] = await Promise.all([stat(directory), stat('/')]);
  return one.dev === root.dev;
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
