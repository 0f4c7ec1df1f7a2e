import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fail2banTree } from '../conformance/fail2ban-tree.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, startProduct } from './product.ts';

let lab: Lab;
let product: Product;
let folder: string;

/** What an administrator of fail2ban has in jail.local. */
const jailLocal = `
[DEFAULT]
bantime = 1h
maxretry = 3
banaction = iptables-multiport

[sshd]
enabled = true
backend = polling
logpath = /var/log/auth.log
`;

beforeAll(async () => {
  lab = await startLab();
  folder = await mkdtemp(join(tmpdir(), 'dock2ban-fail2ban-'));
  const { config } = await fail2banTree();
  await cp(config, folder, { recursive: true });
  await writeFile(join(folder, 'jail.local'), jailLocal);
  await lab.host.exec(['touch', '/var/log/auth.log']);
  product = await startProduct(lab, `services:\n  dock2ban:\n    volumes: ['${folder}:/etc/fail2ban:ro']\n`);
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const listener = String.raw`cat >/etc/nginx/nginx.conf <<'CONF'
events {}
http {
  error_log /dev/stderr;
  access_log off;
  server { listen 80; listen [::]:80; auth_basic "x"; auth_basic_user_file /tmp/users; root /usr/share/nginx/html; }
}
CONF
echo 'admin:{PLAIN}secret' >/tmp/users; exec nginx -g 'daemon off;'`;

describe("a stock fail2ban tree, mounted read-only, with the administrator's jail.local", () => {
  it('lets sshd watch a host log file and shuts the offender out of port 22', async () => {
    await product.sees('jail-started', { jail: 'sshd', ports: '22/tcp' });
    const server = lab.host.spawn([
      process.execPath,
      '-e',
      "require('node:http').createServer((q, s) => s.end('ssh')).listen(22, '::')",
    ]);
    try {
      await using attacker = await lab.client('198.51.100.91');
      await using honest = await lab.client('203.0.113.14');
      const url = `http://${lab.host.ip4}:22/`;
      await lab.host.until('port 22 answers', async () => (await honest.get(url)) === 200);
      expect(await attacker.get(url)).toBe(200);
      const at = new Date().toString().slice(4, 10) + new Date().toString().slice(15, 24);
      for (let i = 0; i < 3; i++) {
        await appendFile(
          lab.host.path('/var/log/auth.log'),
          `${at} host sshd[${i}]: Failed password for root from ${attacker.ip4} port 4000${i} ssh2\n`,
        );
      }
      await product.sees('ban', { jail: 'sshd', ip: attacker.ip4, bantime: 3600 });
      expect(await attacker.get(url)).toBe('timeout');
      expect(await attacker.get(`http://${lab.host.ip4}/`), 'only port 22 is closed').toBe(200);
      expect(await honest.get(url)).toBe(200);
    } finally {
      server.kill('SIGKILL');
    }
  });

  it("binds a container to the stock jail nginx-http-auth by label: the container's own log and published port", async () => {
    await using _app = await lab.host.run({
      name: 'basic-auth',
      publish: ['8080:80'],
      labels: { 'fail2ban.jail': 'nginx-http-auth' },
      log: { driver: 'syslog', options: { tag: 'basic-auth' } },
      command: ['sh', '-c', listener],
    });
    await product.sees('jail-started', { jail: 'nginx-http-auth', ports: '8080/tcp' });
    await using attacker = await lab.client('198.51.100.92');
    await using honest = await lab.client('203.0.113.15');
    const url = `http://${lab.host.ip4}:8080/`;
    await lab.host.until('served', async () => (await honest.get(url)) === 401);
    const login = (password: string) => ({ host: `x\r\nAuthorization: Basic ${btoa(`admin:${password}`)}` });
    for (let i = 0; i < 3; i++) expect(await attacker.get(url, login(`guess${i}`))).toBe(401);
    await product.sees('ban', { jail: 'nginx-http-auth', ip: attacker.ip4 });
    expect(await attacker.get(url, login('secret'))).toBe('timeout');
    expect(await honest.get(url, login('secret'))).toBe(200);
  });
});
