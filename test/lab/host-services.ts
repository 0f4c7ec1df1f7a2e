import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { exists } from './cache.ts';
import { dockerConfigFolder } from './host.ts';
import type { HostNamespace } from './namespace.ts';
import { rsyslogConfiguration, type SyslogOptions } from './syslog.ts';

/**
 * Starts rsyslogd and waits for its socket.
 *
 * @throws with its messages, if it ends
 */
export async function startSyslog(namespace: HostNamespace, options?: SyslogOptions): Promise<void> {
  await writeFile(namespace.path('/run/rsyslog.conf'), rsyslogConfiguration(options));
  const [program, args] = namespace.command([
    '/usr/sbin/rsyslogd',
    '-n',
    '-i',
    '/run/rsyslogd.pid',
    '-f',
    '/run/rsyslog.conf',
  ]);
  const daemon = execa(program, args, { reject: false, stdin: 'ignore', all: true });
  const socket = (async (): Promise<'ready'> => {
    while (!(await exists(namespace.path('/dev/log')))) await delay(20);
    return 'ready';
  })();
  const first = await Promise.race([socket, daemon]);
  if (first !== 'ready') throw new Error(`rsyslogd didn't start: ${first.all || first.shortMessage}`);
}

/** Gives the engine and its client configurations of their own, with compose as plug-in, so that the machine's have no effect. */
export async function configureDocker(namespace: HostNamespace, composeBinary: string): Promise<void> {
  await writeFile(namespace.path('/run/docker-daemon.json'), '{}');
  const plugins = `${dockerConfigFolder}/cli-plugins`;
  await mkdir(namespace.path(plugins), { recursive: true });
  await symlink(composeBinary, namespace.path(`${plugins}/docker-compose`));
}

/** Makes a folder in which `iptables` and its companions are of one variant; resolves to its path on the host. */
export async function iptablesFolder(namespace: HostNamespace, variant: 'legacy'): Promise<string> {
  const folder = `/run/iptables-${variant}`;
  await mkdir(namespace.path(folder));
  for (const base of ['iptables', 'ip6tables']) {
    for (const suffix of ['', '-save', '-restore']) {
      const program = `/usr/sbin/${base}-${variant}${suffix}`;
      await symlink(program, namespace.path(`${folder}/${base}${suffix}`));
    }
  }
  return folder;
}
