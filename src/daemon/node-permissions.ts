import { dirname } from 'node:path';
import { allowPaths, programFolder } from './relaunch.ts';
import type { RunOptions } from './options.ts';

/** Facts about the process's environment that decide what it may read. */
export interface Surroundings {
  /** Text of /proc/self/mountinfo in a container, else undefined. */
  readonly containerMounts: string | undefined;
  /** DOCKER_CERT_PATH. */
  readonly certDir: string | undefined;
}

/** The network, and our own capabilities. */
const kernelFiles = ['/proc/net', '/proc/self', '/proc/sys/net'];
const kernelMounts = /^\/(?:proc|sys|dev)(?:\/|$)/;

/**
 * What Node's permission model lets the daemon do, as flags. It writes to its state and to the folders of its sockets. In a container
 * it reads the program, what its options name, and what was mounted; elsewhere all that the system lets it, since logs may be
 * anywhere. It starts programs (iptables, nft, journalctl, …) and threads, and has no native addons and no inspector.
 */
export function permissionFlags(options: RunOptions, surroundings: Surroundings): string[] {
  const writable = [options.stateDir, dirname(options.socket), ...socketFolders(options.receiver.listen)];
  const reads = allowPaths('read', [...readable(options, surroundings), ...writable]);
  return [
    ...(surroundings.containerMounts === undefined ? ['--allow-fs-read=*'] : reads),
    ...allowPaths('write', writable),
    '--allow-child-process',
    '--allow-worker',
    // Node warns of these two at every start.
    '--disable-warning=PERM0002',
    '--disable-warning=PERM0006',
  ];
}

function readable(
  { configDir, syslogFile, labels, receiver }: RunOptions,
  { containerMounts = '', certDir }: Surroundings,
): string[] {
  const named = [receiver.tlsCert, receiver.tlsKey, receiver.tlsClientCa, certDir];
  return [
    programFolder,
    configDir,
    dirname(syslogFile),
    ...labels.logRoots,
    ...named.filter((path) => path !== undefined),
    ...kernelFiles,
    ...mountPoints(containerMounts),
  ];
}

/** Where something is mounted, apart from the root and the kernel's own file systems (proc(5), mountinfo). */
function mountPoints(mountInfo: string): string[] {
  return mountInfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((path) =>
      path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8))),
    )
    .filter((path) => path.length > 1 && !kernelMounts.test(path));
}

function socketFolders(listen: string): string[] {
  return [...listen.matchAll(/unix:\/\/(\/[^\s,]*)/g)].map(([, path = '']) => dirname(path));
}
