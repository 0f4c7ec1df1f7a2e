import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../src/config/labels/label-policy.ts';
import { permissionFlags, type Surroundings } from '../../src/daemon/node-permissions.ts';
import type { RunOptions } from '../../src/daemon/options.ts';

const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

const options: RunOptions = {
  dockerHost: 'unix:///var/run/docker.sock',
  configDir: '/etc/fail2ban',
  watchConfig: false,
  stateDir: '/var/lib/dock2ban',
  socket: '/run/dock2ban/dock2ban.sock',
  syslogFile: '/var/log/syslog',
  labels: defaultPolicy,
  receiver: { listen: '', allow: '' },
  ignoreip: '',
  firewall: 'auto',
  logLevel: 'info',
  logFormat: 'json',
  onStop: 'keep',
};

const elsewhere: Surroundings = { containerMounts: undefined, certDir: undefined };

function allowed(
  what: 'read' | 'write',
  changes: Partial<RunOptions>,
  surroundings: Partial<Surroundings> = {},
) {
  const flags = permissionFlags({ ...options, ...changes }, { ...elsewhere, ...surroundings });
  const flag = `--allow-fs-${what}=`;
  return flags.filter((one) => one.startsWith(flag)).map((one) => one.slice(flag.length));
}

/** As the kernel writes it for a container: a volume, the tmpfs of /run, a file, a folder with a space, its own file systems. */
const containerMounts = `1391 1301 0:172 / / ro,relatime master:422 - overlay overlay rw,lowerdir=/x
1392 1391 0:175 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
1393 1391 0:176 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
1395 1391 0:179 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
1397 1391 0:181 / /run rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw
1398 1391 254:0 /var/lib/docker/volumes/x/_data /var/lib/dock2ban rw,relatime - ext4 /dev/vda rw
1399 1391 254:0 /srv/web\\040logs /srv/web\\040logs ro,relatime - ext4 /dev/vda rw
1400 1391 254:0 /usr/share/zoneinfo/Etc/UTC /etc/localtime ro,relatime - ext4 /dev/vda rw
1401 1392 0:175 /sys /proc/sys ro,nosuid,nodev,noexec,relatime - proc proc rw
`;

describe('what Node lets the daemon do', () => {
  it('starts programs and threads, and has no addons, no inspector, no WASI', () => {
    const flags = permissionFlags(options, elsewhere).filter((flag) => !flag.startsWith('--allow-fs-'));
    expect(flags.filter((flag) => !flag.startsWith('--disable-'))).toEqual([
      '--allow-child-process',
      '--allow-worker',
    ]);
  });

  it('writes its state and the folders of its sockets', () => {
    expect(allowed('write', {})).toEqual(['/run/dock2ban/*', '/var/lib/dock2ban/*']);
    const listen = 'udp://127.0.0.1:5514,unix:///run/syslog/a.sock, unix:///run/dock2ban/b.sock';
    expect(allowed('write', { stateDir: '/srv/state', receiver: { listen, allow: '' } })).toEqual([
      '/run/dock2ban/*',
      '/run/syslog/*',
      '/srv/state/*',
    ]);
  });

  it('reads in a container the program, what options name and what is mounted; elsewhere everything', () => {
    expect(allowed('read', {})).toEqual(['*']);
    const receiver = { listen: '', allow: '', tlsCert: '/etc/tls/cert.pem' };
    const labels = { ...defaultPolicy, logRoots: ['/var/log', '/home/web/logs'] };
    const program = `${projectRoot}*`;
    const reads = allowed('read', { receiver, labels }, { containerMounts, certDir: '/certs' });
    expect(reads).toContain(program);
    expect(reads.filter((path) => path !== program)).toEqual([
      '/certs/*',
      '/etc/fail2ban/*',
      '/etc/localtime/*',
      '/etc/tls/cert.pem/*',
      '/home/web/logs/*',
      '/proc/net/*',
      '/proc/self/*',
      '/proc/sys/net/*',
      '/run/*',
      '/srv/web logs/*',
      '/var/lib/dock2ban/*',
      '/var/log/*',
    ]);
  });

  it('takes one of nested folders, and both of those whose names begin alike', () => {
    expect(allowed('write', { stateDir: '/run/dock2ban/state' })).toEqual(['/run/dock2ban/*']);
    expect(allowed('write', { stateDir: '/run/dock2ban-state' })).toEqual([
      '/run/dock2ban*',
      '/run/dock2ban-state/*',
    ]);
    expect(allowed('write', { socket: '/dock2ban.sock' })).toEqual(['/*']);
  });
});
