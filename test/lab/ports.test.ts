import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import type { ContainerOptions } from './container.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';
import { logged, onPorts, strict } from './services.ts';

let lab: Lab;
let product: Product;
let honest: Client;
let attacker: Client;

beforeAll(async () => {
  lab = await startLab();
  product = await startProduct(lab);
  honest = await lab.client('203.0.113.7');
  attacker = await lab.client('198.51.100.66');
  await lab.host.run({ name: 'bystander', publish: ['8090:80'] });
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

interface Case {
  readonly what: string;
  readonly name: string;
  readonly container: ContainerOptions;
  /** Host ports; the first is attacked. */
  readonly closed: readonly number[];
  readonly open: readonly number[];
}

/** Port 80 is another jail's, 8090 nobody's. */
const cases: readonly Case[] = [
  {
    what: 'every port that the container publishes, host port ≠ container port, and no other',
    name: 'published',
    container: { publish: ['8080:80', '8443:443'] },
    closed: [8080, 8443],
    open: [80, 8090],
  },
  {
    what: 'the ports that the label fail2ban.port lists',
    name: 'list',
    container: { publish: ['8083:80', '8084:80'], labels: { 'fail2ban.port': '8083/tcp' } },
    closed: [8083],
    open: [8084, 80, 8090],
  },
  {
    what: 'no port of others, if the label says all',
    name: 'everything',
    container: { publish: ['8085:80'], labels: { 'fail2ban.port': 'all' } },
    closed: [8085],
    open: [80, 8090],
  },
  {
    what: 'what the label lists, of a container in network_mode: host',
    name: 'on-host',
    container: { network: 'host', labels: { 'fail2ban.port': '8099' }, command: onPorts(8099) },
    closed: [8099],
    open: [80, 8090],
  },
];

const urlOf = (port: number): string => `http://${lab.host.ip4}:${port}`;

const outcomes = async (client: Client, ports: readonly number[]): Promise<unknown[]> =>
  Promise.all(ports.map(async (port) => [port, await client.get(`${urlOf(port)}/`)]));

const each = (ports: readonly number[], outcome: unknown): unknown[] => ports.map((port) => [port, outcome]);

describe('a ban closes', () => {
  it.each(cases)('$what', async ({ name, container, closed, open }) => {
    const labels = { ...strict(name), ...container.labels };
    await using _app = await lab.host.run({ ...logged(name, container), labels });
    await product.sees('jail-started', { jail: name });
    for (const port of [...closed, ...open]) {
      await lab.host.until(`${port} is served`, async () => (await honest.get(`${urlOf(port)}/`)) === 200);
    }
    await shutOut(product, attacker, urlOf(closed[0]!), { jail: name, failures: 2 });
    expect(await outcomes(attacker, closed)).toEqual(each(closed, 'timeout'));
    expect(await outcomes(attacker, open)).toEqual(each(open, 200));
    expect(await outcomes(honest, [...closed, ...open])).toEqual(each([...closed, ...open], 200));
    await product.cli('unban', '--all');
  });

  it('the ports of all containers that share the jail, and their failures add up', async () => {
    const labels = { ...strict('shared'), 'fail2ban.maxretry': '5' };
    await using _one = await lab.host.run({ ...logged('one'), publish: ['8081:80'], labels });
    await product.sees('jail-started', { jail: 'shared' });
    await using _two = await lab.host.run({ ...logged('two'), publish: ['8082:80'], labels });
    await product.sees('jail-changed', { jail: 'shared' });
    for (const port of [8081, 8082, 8081, 8082, 8081]) {
      expect(await attacker.get(`${urlOf(port)}/missing`, { host: 'app.example.com' })).toBe(404);
    }
    await product.sees('ban', { jail: 'shared', ip: attacker.ip4, failures: 5 });
    expect(await outcomes(attacker, [8081, 8082])).toEqual(each([8081, 8082], 'timeout'));
    expect(await outcomes(honest, [8081, 8082])).toEqual(each([8081, 8082], 200));
  });
});
