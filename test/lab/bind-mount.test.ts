import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Lab, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';

let lab: Lab;
let product: Product;

/** nginx-proxy logs to a file of its own, in a folder of the host's that dock2ban mounts, too. */
const changes = `services:
  dock2ban:
    volumes: ['/srv/logs:/srv/logs:ro']
  nginx-proxy:
    volumes: !override ['/srv/logs:/logs']
    command: ['sh', '-c', "exec nginx -g 'daemon off;' >> /logs/access.log"]
    logging: !override { driver: none }
    labels: { fail2ban.jail: nginx-proxy, fail2ban.logpath: '/srv/logs/*.log' }
`;

beforeAll(async () => {
  lab = await startLab();
  await lab.host.exec(['mkdir', '--parents', '/srv/logs']);
  product = await startProduct(lab, changes);
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

it('an attack that a container logs to a bind-mounted file ends in a ban, also after rotation', async () => {
  await using honest = await lab.client('203.0.113.7');
  const url = `http://${lab.host.ip4}`;
  for (const [ip, rotation] of [
    ['198.51.100.81', undefined],
    ['198.51.100.82', ['cp', '/srv/logs/access.log', '/srv/logs/access.log.1']],
  ] as const) {
    if (rotation) {
      await lab.host.exec([...rotation]);
      await lab.host.exec(['truncate', '--size', '0', '/srv/logs/access.log']);
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
