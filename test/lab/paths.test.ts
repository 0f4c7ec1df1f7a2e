import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import type { ContainerOptions } from './container.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';
import { logged, onPorts, udpService } from './services.ts';

/** One way that packets take to a container. */
interface Path {
  readonly name: string;
  readonly container: ContainerOptions;
  /** Networks that it joins besides. */
  readonly networks?: readonly string[];
  /** A container that did not opt in; it is started before. */
  readonly bystander?: ContainerOptions;
  /** The first is attacked; the ban closes all of them. */
  readonly closed: readonly string[];
  /** What the attacker can still reach. */
  readonly open?: readonly string[];
}

const [ip4, ip6, second4, second6] = ['192.0.2.1', '[2001:db8:0:1::1]', '192.0.2.2', '[2001:db8:0:1::2]'];

const paths: readonly Path[] = [
  {
    name: 'port-ipv4',
    container: { publish: ['8100:80'] },
    closed: [`http://${ip4}:8100`],
    open: [`http://${ip4}`],
  },
  {
    name: 'port-ipv6',
    container: { publish: ['8101:80'] },
    closed: [`http://${ip6}:8101`],
    open: [`http://${ip4}:8101`],
  },
  {
    name: 'one-ipv4-address',
    container: { publish: [`${second4}:8102:80`] },
    bystander: { publish: [`${ip4}:8102:80`] },
    closed: [`http://${second4}:8102`],
    open: [`http://${ip4}:8102`],
  },
  {
    name: 'one-ipv6-address',
    container: { publish: [`${second6}:8103:80`] },
    bystander: { publish: [`${ip6}:8103:80`] },
    closed: [`http://${second6}:8103`],
    open: [`http://${ip6}:8103`],
  },
  {
    name: 'range',
    container: { publish: ['8110-8112:9000-9002'], command: onPorts(9000, 9001, 9002) },
    bystander: { publish: ['8113:80'] },
    closed: [`http://${ip4}:8111`, `http://${ip4}:8110`, `http://${ip4}:8112`],
    open: [`http://${ip4}:8113`],
  },
  {
    name: 'udp-ipv4',
    container: { publish: ['8120:5300/udp'], ...udpService(5300) },
    bystander: { publish: ['8120:80/tcp'] },
    closed: [`udp://${ip4}:8120`],
    open: [`http://${ip4}:8120`],
  },
  {
    name: 'udp-ipv6',
    container: { publish: ['8121:5300/udp'], ...udpService(5300) },
    closed: [`udp://${ip6}:8121`],
  },
  {
    name: 'several-networks',
    container: { publish: ['8130:80'], network: 'one' },
    networks: ['two', 'three'],
    closed: [`http://${ip4}:8130`],
  },
  {
    name: 'shared-namespace',
    bystander: { publish: ['8135:8135', '8136:80'] },
    container: { network: 'container:shared-namespace-bystander', command: onPorts(8135) },
    // Both are ports of the one network namespace; who of its containers listens on which, nobody knows.
    closed: [`http://${ip4}:8135`, `http://${ip4}:8136`],
    open: [`http://${ip4}`],
  },
  {
    name: 'host-ipv4',
    container: { network: 'host', command: onPorts(8140) },
    closed: [`http://${ip4}:8140`],
    // Another container's.
    open: [`http://${ip4}`],
  },
  {
    name: 'host-ipv6',
    container: { network: 'host', command: onPorts(8141) },
    closed: [`http://${ip6}:8141`],
  },
];

describe.each(['20.10', '28.5'] as const)('Docker %s: a ban holds on the way to', (engine) => {
  let lab: Lab;
  let product: Product;
  let attacker: Client;
  let honest: Client;

  beforeAll(async () => {
    lab = await startLab({ engine });
    const { host } = lab;
    await host.exec(['ip', 'address', 'add', `${second4}/32`, 'dev', 'lo']);
    await host.exec(['ip', 'address', 'add', `${second6.slice(1, -1)}/128`, 'dev', 'lo', 'nodad']);
    for (const network of ['one', 'two', 'three']) await host.docker('network', 'create', network);
    product = await startProduct(lab);
    attacker = await lab.client('198.51.100.66');
    honest = await lab.client('203.0.113.7');
  });

  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  /** Sees each answer. */
  const answers = async (client: Client, urls: readonly string[]): Promise<unknown[]> =>
    Promise.all(urls.map(async (url) => [url, await client.get(`${url}/`)]));

  const each = (urls: readonly string[], outcome: unknown): unknown[] => urls.map((url) => [url, outcome]);

  it.each(paths)('$name', async ({ name, container, bystander, networks = [], closed, open = [] }) => {
    await using stack = new AsyncDisposableStack();
    const { host } = lab;
    if (bystander) stack.use(await host.run({ name: `${name}-bystander`, ...bystander }));
    stack.use(await host.run(logged(name, container)));
    for (const network of networks) await host.docker('network', 'connect', network, name);
    await product.sees('jail-started', { jail: name });
    const all = [...closed, ...open];
    for (const url of all) {
      await host.until(`${url} is served`, async () => (await honest.get(`${url}/`)) === 200);
    }
    await shutOut(product, attacker, closed[0]!, { jail: name, failures: 2 });
    expect(await answers(attacker, closed)).toEqual(each(closed, 'timeout'));
    expect(await answers(attacker, open)).toEqual(each(open, 200));
    expect(await answers(honest, all)).toEqual(each(all, 200));
    await product.cli('unban', '--all');
    expect(await answers(attacker, closed)).toEqual(each(closed, 200));
  });
});
