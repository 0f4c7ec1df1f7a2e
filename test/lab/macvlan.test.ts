import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { type Lab, startLab } from './lab.ts';
import { Lan, lanDevice } from './lan.ts';
import { type Product, shutOut, startProduct } from './product.ts';
import { logged, strict } from './services.ts';

let lab: Lab;
let lan: Lan;
let product: Product;
let attacker: Client;
let honest: Client;

const address = '192.0.2.200';
const url = `http://${address}`;

beforeAll(async () => {
  lab = await startLab();
  const { host } = lab;
  lan = await Lan.open(host.pid);
  const options = [
    '--subnet',
    '192.0.2.128/25',
    '--ip-range',
    '192.0.2.192/26',
    '--opt',
    `parent=${lanDevice}`,
  ];
  await host.docker('network', 'create', '--driver', 'macvlan', ...options, 'lan');
  product = await startProduct(lab);
  attacker = await lab.client('198.51.100.66');
  honest = await lab.client('203.0.113.7');
  await lan.join(attacker, '192.0.2.130/25');
  await lan.join(honest, '192.0.2.131/25');
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lan?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

describe('a container on macvlan', () => {
  it('is told of that bans close nothing there', async () => {
    await using _app = await lab.host.run(logged('lan-notice', { network: 'lan' }));
    const where = 'container lan-notice, network lan';
    const problem = await product.sees('config-error', { where });
    expect(problem.level).toBe('warn');
    expect(problem.msg).toContain('bans are not enforced on this network');
  });

  // Its packets pass none of inet's hooks on the host, only netdev's ingress on the parent.
  it.fails('is closed to the attacker', async () => {
    const labels = { ...strict('lan'), 'fail2ban.port': '80' };
    const network = { network: 'lan', arguments: ['--ip', address] };
    await using _app = await lab.host.run(logged('lan', { ...network, labels }));
    await product.sees('jail-started', { jail: 'lan' });
    await lab.host.until('served', async () => (await honest.get(`${url}/`)) === 200);
    await shutOut(product, attacker, url, { jail: 'lan', failures: 2 });
    expect(await honest.get(`${url}/`)).toBe(200);
  });
});
