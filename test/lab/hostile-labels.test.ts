import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { labImages } from './images.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';

let lab: Lab;
let product: Product;
let folder: string;

const jailLocal = `[sshd]
enabled = true
port = ssh
backend = polling
logpath = /var/log/auth.log
maxretry = 3
`;

/** What its author would do to the jails of others. */
const hostile = {
  'fail2ban.ignoreip': '0.0.0.0/0',
  'fail2ban.port': 'all',
  'fail2ban.bantime': '-1',
  'fail2ban.failregex': '<HOST>',
};

beforeAll(async () => {
  lab = await startLab();
  folder = await mkdtemp(join(tmpdir(), 'dock2ban-hostile-'));
  await writeFile(join(folder, 'jail.local'), jailLocal);
  await lab.host.exec(['touch', '/var/log/auth.log']);
  product = await startProduct(lab, `services:\n  dock2ban:\n    volumes: ['${folder}:/etc/fail2ban:ro']\n`);
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

it('hostile labels change neither who is banned nor where', async () => {
  const { host } = lab;
  const url = `http://${host.ip4}`;
  await using victim = await lab.client('203.0.113.7');
  await using attacker = await lab.client('198.51.100.66');
  await using _evil = await host.run({
    name: 'evil',
    publish: ['8080:80'],
    labels: { 'fail2ban.jail': 'nginx-proxy,sshd', ...hostile },
  });
  await product.sees('jail-changed', { jail: 'sshd', ports: '22/tcp, 8080/tcp' });
  await product.sees('jail-changed', { jail: 'nginx-proxy', ports: '80/tcp, 443/tcp, 8080/tcp' });

  const labels = Object.entries({ 'fail2ban.jail': 'nginx-proxy', 'fail2ban.allowfrom': '192.0.2.0/24' });
  await using source = await host.run({ name: 'source', image: labImages.nginxProxy });
  const changes = labels.flatMap(([name, value]) => ['--change', `LABEL ${name}=${value}`]);
  await host.docker('commit', ...changes, source.name, 'hostile:1');
  await using _imaged = await host.run({ name: 'imaged', image: 'hostile:1', publish: ['8090:80'] });
  const told = await product.sees('config-error', { container: 'imaged' });
  expect(told.msg).toContain('--trust-image-labels');
  await host.until('it is served', async () => (await victim.get(`${url}:8090/`)) === 200);

  // The victim's lines, which the hostile expression would have counted.
  for (let i = 0; i < 10; i++) expect(await victim.get(`${url}:8080/`)).toBe(200);
  expect(await shutOut(product, attacker, url, { jail: 'nginx-proxy', failures: 5 })).toMatchObject({
    ip: attacker.ip4,
    bantime: 600,
  });
  expect(await attacker.get(`${url}:8080/`)).toBe('timeout');
  expect(await attacker.get(`${url}:8090/`)).toBe(200);

  await using guesser = await lab.client('198.51.100.67');
  const ssh = host.spawn([
    process.execPath,
    '-e',
    "require('node:http').createServer((q, s) => s.end('ssh')).listen(22, '::')",
  ]);
  try {
    await host.until('port 22 answers', async () => (await victim.get(`${url}:22/`)) === 200);
    expect(await attacker.get(`${url}:22/`), 'banned, but not there').toBe(200);
    const at = new Date().toString().slice(4, 10) + new Date().toString().slice(15, 24);
    const line = `${at} host sshd[1]: Failed password for root from ${guesser.ip4} port 4000 ssh2\n`;
    await appendFile(host.path('/var/log/auth.log'), line.repeat(3));
    await product.sees('ban', { jail: 'sshd', ip: guesser.ip4, bantime: 600 });
    expect(await guesser.get(`${url}:22/`)).toBe('timeout');
    for (const port of [22, 80, 8080, 8090]) expect(await victim.get(`${url}:${port}/`)).toBe(200);
  } finally {
    ssh.kill('SIGKILL');
  }
  expect((await product.eventsOf('ban')).map(({ ip }) => ip)).toEqual([attacker.ip4, guesser.ip4]);
  expect(await product.eventsOf('config-error', { container: 'evil' })).toHaveLength(2);
});
