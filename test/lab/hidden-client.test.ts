import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, startProduct } from './product.ts';
import { logged, strict } from './services.ts';

const port = 8200;
const app = 'proxied';

/** A program that asks for a missing page, on the host or in a container, and prints `HTTP/1.1 404`. */
const asking = (host: string, to = port): string[] => [
  'bash',
  '-c',
  `exec 3<>/dev/tcp/${host}/${to} && printf 'GET /missing HTTP/1.0\\r\\nHost: app.example.com\\r\\n\\r\\n' >&3 && head -c 12 <&3`,
];

/** A way to a container of an IPv4-only network that leaves another address than the client's in the log, or none that may be banned. */
interface Way {
  readonly name: string;
  /** Whose address is in the log. */
  readonly seen: 'gateway' | 'host' | 'neighbour';
  readonly ask: (lab: Lab, client: Client) => Promise<number | string>;
}

const fromHost =
  (address: string): Way['ask'] =>
  async ({ host }) =>
    (await host.exec(asking(address))).stdout;

const fromContainer =
  (name: string, address: string, to = port): Way['ask'] =>
  async ({ host }) =>
    host.docker('exec', name, ...asking(address, to));

const ways: readonly Way[] = [
  {
    name: 'an IPv6 client, through docker-proxy',
    seen: 'gateway',
    ask: async ({ host }, client) => client.get(`http://[${host.ip6}]:${port}/missing`),
  },
  { name: 'the host, over loopback and docker-proxy', seen: 'gateway', ask: fromHost('127.0.0.1') },
  { name: 'the host, by its own address', seen: 'host', ask: fromHost('192.0.2.1') },
  { name: 'the container itself, by hairpin', seen: 'gateway', ask: fromContainer(app, '192.0.2.1') },
  { name: 'its neighbour on the network', seen: 'neighbour', ask: fromContainer('neighbour', app, 80) },
  {
    name: 'a container of another network, by the published port',
    seen: 'gateway',
    ask: fromContainer('stranger', '192.0.2.1'),
  },
];

describe.each(['20.10', '28.5'] as const)('Docker %s: clients that the log does not show', (engine) => {
  let lab: Lab;
  let product: Product;
  let client: Client;
  let addresses: Record<Way['seen'], string>;

  beforeAll(async () => {
    lab = await startLab({ engine });
    const { host } = lab;
    for (const network of ['plain', 'other']) await host.docker('network', 'create', network);
    product = await startProduct(lab);
    const neighbour = await host.run({ name: 'neighbour', network: 'plain' });
    await host.run({ name: 'stranger', network: 'other' });
    const labels = { ...strict(app), 'fail2ban.maxretry': '3' };
    await host.run({ ...logged(app), network: 'plain', publish: [`${port}:80`], labels });
    await product.sees('jail-started', { jail: app });
    client = await lab.client('198.51.100.66');
    await host.until('served', async () => (await client.get(`http://${host.ip4}:${port}/`)) === 200);
    addresses = {
      gateway: await neighbour.inspect('{{.NetworkSettings.Networks.plain.Gateway}}'),
      host: host.ip4,
      neighbour: await neighbour.inspect('{{.NetworkSettings.Networks.plain.IPAddress}}'),
    };
  });

  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  it.each(ways.map((way, i) => ({ ...way, i })))('$name: nobody is shut out', async ({ seen, ask, i }) => {
    const log = async (): Promise<string> => lab.host.container(app).logs();
    const logBefore = await log();
    for (let turn = 0; turn < 4; turn++) expect(String(await ask(lab, client))).toMatch(/404$/);
    const lines = (await log()).slice(logBefore.length).trim().split('\n');
    expect(lines.map((line) => line.split(' ')[1])).toEqual(Array(4).fill(addresses[seen]));
    // What comes after has been read when a line of somebody who is known has had its effect.
    await using known = await lab.client(`203.0.113.${20 + i}`);
    await known.get(`http://${lab.host.ip4}:${port}/missing`);
    await product.sees('found', { jail: app, ip: known.ip4 });
    expect(await product.eventsOf('ban')).toEqual([]);
    const told = seen === 'gateway' ? 'address-hidden' : 'ignored';
    expect(await product.eventsOf(told, { jail: app, ip: addresses[seen] })).not.toEqual([]);
    expect(await client.get(`http://[${lab.host.ip6}]:${port}/`)).toBe(200);
  });

  it('one event explains', async () => {
    const events = await product.eventsOf('address-hidden');
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ level: 'warn', jail: app, ip: addresses.gateway });
    expect(events[0]!.msg).toContain('IPv6 client');
  });

  it('a ban of a client that is known holds on the way through docker-proxy, too', async () => {
    await using honest = await lab.client('203.0.113.7');
    const url = `http://[${lab.host.ip6}]:${port}/`;
    await using open = await client.open(url);
    expect(await open.get('/')).toBe(200);
    expect(await product.cli('ban', app, client.ip6)).toMatchObject({ exitCode: 0, stdout: '1' });
    expect(await client.get(url)).toBe('timeout');
    expect(await open.get('/'), 'the open connection').toBe('timeout');
    expect(await honest.get(url)).toBe(200);
    expect(await client.get(`http://[${lab.host.ip6}]/`), 'a port of no concern to the jail').toBe(200);
  });
});
