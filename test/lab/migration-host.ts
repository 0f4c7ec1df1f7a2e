import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail2banTree } from '../conformance/fail2ban-tree.ts';
import { dockerEnv, type ExecResult, type LabHost } from './host.ts';

/** What the administrator has added to the stock configuration, for a service that runs in Docker and logs to syslog. */
const additions = {
  'jail.local': `
[DEFAULT]
bantime = 1h
findtime = 10m
maxretry = 4
ignoreip = 127.0.0.1/8 ::1 192.0.2.0/24

[sshd]
backend = polling

[web]
enabled = true
filter = web
backend = polling
logpath = /var/log/syslog
# Docker has translated the port when packets come to this chain: 8080 is 80 there.
action = iptables-multiport[name=web, port="80", chain=DOCKER-USER]
`,
  'filter.d/web.conf': String.raw`[INCLUDES]
before = common.conf

[Definition]
_daemon = web
failregex = ^%(__prefix_line)s\S+ <HOST> - \S+ \[[^\]]*\] "[A-Z]+ \S+ HTTP/[\d.]+" 404\b
`,
  'filter.d/web.local': String.raw`[Definition]
ignoreregex = "GET /favicon\.ico HTTP
`,
};

/** The service's own compose file. */
const service = `services:
  web:
    image: nginxproxy/nginx-proxy:latest
    container_name: web
    restart: unless-stopped
    ports: ['0.0.0.0:8080:80']
    logging:
      driver: syslog
      options: { tag: web }
`;

/** The lab has no systemd: what it would do for this one unit. */
const systemctl = `#!/bin/sh
case "$*" in
  'enable --now fail2ban')
    mkdir -p /run/fail2ban
    setsid /usr/bin/fail2ban-server -f start >/run/fail2ban/output 2>&1 </dev/null &
    for second in $(seq 60); do
      /usr/bin/fail2ban-client ping >/dev/null 2>&1 && exit 0
      sleep 0.5
    done
    cat /run/fail2ban/output /var/log/fail2ban.log >&2
    exit 1 ;;
  'disable --now fail2ban') /usr/bin/fail2ban-client stop ;;
  *) echo "systemctl $*: not in this lab" >&2; exit 1 ;;
esac
`;

/** A host with fail2ban that has protected a container for years, and its administrator's shell. */
export class MigrationHost implements AsyncDisposable {
  readonly #host: LabHost;
  readonly #folder: string;
  /** Where dock2ban's compose.example.yml lies. */
  readonly product: string;
  /** Where the service's compose file lies. */
  readonly service: string;

  private constructor(host: LabHost, folder: string) {
    this.#host = host;
    this.#folder = folder;
    this.product = join(folder, 'dock2ban');
    this.service = join(folder, 'web');
  }

  /** Sets it up and starts fail2ban and the service. */
  static async open(host: LabHost, example: string): Promise<MigrationHost> {
    const folder = await mkdtemp(join(tmpdir(), 'dock2ban-migration-'));
    await chmod(folder, 0o755);
    const migration = new MigrationHost(host, folder);
    await migration.#setUp(example);
    await migration.shell('systemctl enable --now fail2ban');
    await migration.shell('docker compose up -d', migration.service);
    return migration;
  }

  /**
   * Runs what an administrator pastes into a root shell; it stops at the first command that fails.
   *
   * @throws execa's error if one fails, unless `reject` is false
   */
  async shell(text: string, cwd = this.product, reject = true): Promise<ExecResult> {
    const path = '/usr/local/bin:/run/lab-bin:/usr/sbin:/usr/bin:/sbin:/bin';
    const env = { ...dockerEnv, PATH: path, LC_ALL: 'C.UTF-8' };
    return this.#host.exec(['bash', '-e', '-c', text], { cwd, env, timeoutMs: 180_000, reject });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shell('docker compose -f compose.example.yml down --volumes', this.product, false);
    await this.shell('docker compose down', this.service, false);
    await this.shell('systemctl disable --now fail2ban', this.product, false);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #setUp(example: string): Promise<void> {
    const { config } = await fail2banTree();
    const places = { etc: '/etc/fail2ban', lib: '/var/lib/fail2ban', bin: '/usr/local/bin' };
    await cp(config, join(this.#folder, 'etc'), { recursive: true });
    for (const [name, place] of Object.entries(places)) {
      await mkdir(join(this.#folder, name), { recursive: true });
      await this.#host.exec(['mkdir', '-p', place]);
      await this.#host.exec(['mount', '--bind', join(this.#folder, name), place]);
    }
    for (const [name, text] of Object.entries(additions))
      await writeFile(join(this.#folder, 'etc', name), text);
    await mkdir(this.product);
    await cp(example, join(this.product, 'compose.example.yml'));
    await mkdir(this.service);
    await writeFile(join(this.service, 'compose.yml'), service);
    await this.#host.exec(['mkdir', '-p', '/run/lab-bin']);
    await this.#host.exec(['tee', '/run/lab-bin/systemctl'], { input: systemctl });
    await this.#host.exec(['chmod', '+x', '/run/lab-bin/systemctl']);
    await this.#host.exec(['touch', '/var/log/auth.log']);
  }
}
