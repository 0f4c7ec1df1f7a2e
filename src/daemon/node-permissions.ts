import { dirname, resolve } from 'node:path';
import type { RunOptions } from './options.ts';

/** Where the process runs, as far as it says what may be read. */
export interface Surroundings {
  /** The folder of the program: `dist` or `src`, filters, packages. */
  readonly program: string;
  /** Text of /proc/self/mountinfo in a container, else undefined. */
  readonly containerMounts: string | undefined;
  /** DOCKER_CERT_PATH. */
  readonly certDir: string | undefined;
}

/** The network, and our own capabilities. */
const kernelFiles = ['/proc/net', '/proc/self', '/proc/sys/net'];
const kernelMounts = /^\/(?:proc|sys|dev)(?:\/|$)/;

/**
 * The flags of Node's permission model for the daemon. It writes to its state and to the folders of its sockets. In a container
 * it reads the program, what its options name, and what was mounted; elsewhere all that the system lets it, since logs may be
 * anywhere. It starts programs (iptables, nft, journalctl, …) and threads, and has no native addons and no inspector.
 */
export function permissionFlags(options: RunOptions, surroundings: Surroundings): string[] {
  const writable = [options.stateDir, dirname(options.socket), ...socketFolders(options.receiver.listen)];
  const reads = allow('read', [...readable(options, surroundings), ...writable]);
  return [
    '--permission',
    ...(surroundings.containerMounts === undefined ? ['--allow-fs-read=*'] : reads),
    ...allow('write', writable),
    '--allow-child-process',
    '--allow-worker',
    // Node warns of these two at every start.
    '--disable-warning=PERM0002',
    '--disable-warning=PERM0006',
    // The signal would start the inspector.
    '--disable-sigusr1',
  ];
}

function readable(
  { configDir, syslogFile, receiver }: RunOptions,
  { program, containerMounts = '', certDir }: Surroundings,
): string[] {
  const named = [receiver.tlsCert, receiver.tlsKey, receiver.tlsClientCa, certDir];
  return [
    program,
    configDir,
    dirname(syslogFile),
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

/**
 * Allows paths, and what is in them whether they are there yet or not. Node's tree of paths (src/permission/fs_permission.cc) forgets a
 * folder that it learns of after something in it, or whose name begins that of another: the first are left out, the second are
 * allowed by the beginning of their names.
 */
function allow(what: 'read' | 'write', paths: readonly string[]): string[] {
  const outer: string[] = [];
  for (const path of paths.map((one) => resolve(one)).toSorted()) {
    if (!outer.some((one) => path === one || path.startsWith(one.endsWith('/') ? one : `${one}/`)))
      outer.push(path);
  }
  const beginsAnother = (path: string) => outer.some((one) => one !== path && one.startsWith(path));
  return outer.map((path) => {
    const end = path.endsWith('/') || beginsAnother(path) ? '*' : '/*';
    return `--allow-fs-${what}=${path}${end}`;
  });
}
