import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Lab, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';

let lab: Lab;
let product: Product;
let folder: string;

/** nginx-proxy logs to a file of its own, in a folder of the host's that dock2ban mounts, too. */
const changes = (): string => `services:
  dock2ban:
    volumes: ['${folder}:${folder}:ro']
    environment: { DOCK2BAN_LOG_ROOTS: '${folder}' }
  nginx-proxy:
    volumes: !override ['${folder}:/logs']
    command: ['sh', '-c', "exec nginx -g 'daemon off;' >> /logs/access.log"]
    logging: !override { driver: none }
    labels: { fail2ban.jail: nginx-proxy, fail2ban.logpath: '${folder}/*.log' }
`;

beforeAll(async () => {
  lab = await startLab();
  folder = await mkdtemp(join(tmpdir(), 'd2b-lab-logs-'));
  await chmod(folder, 0o755);
  product = await startProduct(lab, changes());
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

it('an attack that a container logs to a bind-mounted file ends in a ban, also after rotation', async () => {
  await using honest = await lab.client('203.0.113.7');
  const url = `http://${lab.host.ip4}`;
  const log = join(folder, 'access.log');
  for (const [ip, isRotated] of [
    ['198.51.100.81', false],
    ['198.51.100.82', true],
  ] as const) {
    if (isRotated) {
      await lab.host.exec(['cp', log, `${log}.1`]);
      await lab.host.exec(['truncate', '--size', '0', log]);
    }
    await using attacker = await lab.client(ip);
    expect(await shutOut(product, attacker, url, { jail: 'nginx-proxy', failures: 5 })).toMatchObject({
      ip,
      failures: 5,
      container: 'nginx-proxy',
    });
    expect(await honest.get(`${url}/`)).toBe(200);
  }
});
