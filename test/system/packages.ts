import { access, constants, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { execa } from 'execa';

/** A program that the tests run, the Debian package that has it, and the systemd units that come along. */
interface Need {
  /** Its name, or the path of a file that shows that the package is there. */
  readonly program: string;
  readonly packageName: string;
  readonly units?: readonly string[];
}

const needs: readonly Need[] = [
  { program: 'ip', packageName: 'iproute2' },
  { program: 'sysctl', packageName: 'procps' },
  { program: 'iptables', packageName: 'iptables' },
  { program: 'ipset', packageName: 'ipset' },
  { program: 'nft', packageName: 'nftables', units: ['nftables.service'] },
  { program: 'conntrack', packageName: 'conntrack' },
  { program: 'debootstrap', packageName: 'debootstrap' },
  {
    program: 'dockerd',
    packageName: 'docker.io',
    units: ['docker.service', 'docker.socket', 'containerd.service'],
  },
  { program: 'tini', packageName: 'tini' },
  { program: 'openssl', packageName: 'openssl' },
  { program: 'rsyslogd', packageName: 'rsyslog', units: ['rsyslog.service'] },
  { program: 'journalctl', packageName: 'systemd' },
  {
    program: '/lib/systemd/systemd-journal-remote',
    packageName: 'systemd-journal-remote',
    units: ['systemd-journal-remote.socket', 'systemd-journal-remote.service'],
  },
  { program: 'zsh', packageName: 'zsh' },
  { program: 'fish', packageName: 'fish' },
  { program: 'fail2ban-server', packageName: 'fail2ban', units: ['fail2ban.service'] },
  // Only recommended by fail2ban, and what lets it see new lines at once.
  { program: '/usr/lib/python3/dist-packages/pyinotify.py', packageName: 'python3-pyinotify' },
];

const searched = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

const policyFile = '/usr/sbin/policy-rc.d';
const policyMark = '# dock2ban tests: no service is started by installing its package';

/**
 * Installs the Debian packages whose programs the tests run, as far as they are missing, without starting or enabling
 * their services.
 *
 * @returns the names of the packages that were installed
 * @throws if apt-get fails
 */
export async function ensurePackages(report: (text: string) => void): Promise<string[]> {
  const found = await Promise.all(needs.map((need) => isInstalled(need.program)));
  const missing = needs.filter((_, index) => !found[index]);
  if (missing.length === 0) return [];
  const names = missing.map((need) => need.packageName);
  report(`installing ${names.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const ownPolicy = await forbidServiceStarts();
  try {
    await execa('apt-get', ['update', '-qq'], { env });
    await execa('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env });
  } finally {
    if (ownPolicy) await rm(policyFile, { force: true });
  }
  const units = missing.flatMap((need) => need.units ?? []);
  if (units.length > 0 && (await isInstalled('systemctl'))) {
    await execa('systemctl', ['disable', ...units], { reject: false });
  }
  return names;
}

/** Whether a program is on the PATH or in one of the system's own folders, or a file at its path. */
export async function isInstalled(program: string): Promise<boolean> {
  if (isAbsolute(program)) return isAccessible(program, constants.R_OK);
  for (const folder of searched) if (await isAccessible(join(folder, program), constants.X_OK)) return true;
  return false;
}

async function isAccessible(file: string, mode: number): Promise<boolean> {
  return access(file, mode).then(
    () => true,
    () => false,
  );
}

/** Debian's policy-rc.d: exit status 101 forbids maintainer scripts to start services. A policy that is there already stays. */
async function forbidServiceStarts(): Promise<boolean> {
  const present = await readFile(policyFile, 'utf8').catch(() => undefined);
  if (present !== undefined) return present.includes(policyMark);
  await writeFile(policyFile, `#!/bin/sh\n${policyMark}\nexit 101\n`, { mode: 0o755 });
  return true;
}
