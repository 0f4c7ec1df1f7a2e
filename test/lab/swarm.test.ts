import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';
import { logged, strict } from './services.ts';

let lab: Lab;
let product: Product;
let attacker: Client;
let honest: Client;

beforeAll(async () => {
  lab = await startLab({ engine: '28.5' });
  await lab.host.docker('swarm', 'init', '--advertise-addr', lab.host.ip4);
  product = await startProduct(lab);
  attacker = await lab.client('198.51.100.66');
  honest = await lab.client('203.0.113.7');
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.host.tryDocker('swarm', 'leave', '--force');
  await lab?.[Symbol.asyncDispose]();
});

/** @param kind `--container-label`: of the tasks; `--label`: of the service */
function labelled(kind: '--container-label' | '--label', labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).flatMap(([name, value]) => [kind, `${name}=${value}`]);
}

describe('Swarm', () => {
  // `labels` and, in compose, `deploy.labels`.
  it.each(['--container-label', '--label'] as const)(
    'a service that is published with mode: host is closed to the attacker (%s)',
    async (kind) => {
      const url = `http://${lab.host.ip4}:8300`;
      const name = `service${kind}`;
      const publish = ['--publish', 'mode=host,published=8300,target=80'];
      const log = ['--log-driver', 'syslog', '--log-opt', `tag=${name}`];
      const options = ['--detach', '--name', name, ...publish, ...labelled(kind, strict(name)), ...log];
      await lab.host.docker('service', 'create', ...options, lab.images.nginxProxy);
      await product.sees('jail-started', { jail: name }, 30_000);
      await lab.host.until('served', async () => (await honest.get(`${url}/`)) === 200);
      await shutOut(product, attacker, url, { jail: name, failures: 2 });
      expect(await honest.get(`${url}/`)).toBe(200);
      expect(await attacker.get(`http://${lab.host.ip4}/`)).toBe(200);
      await lab.host.docker('service', 'rm', name);
      await product.sees('jail-stopped', { jail: name }, 30_000);
    },
  );

  /**
   * The ingress network needs IPVS in the kernel, which not every machine has. What it does on the node that packets enter by is
   * written here by hand, as libnetwork's programIngress writes it: DNAT to the gateway of the sandbox, whose part a container plays, and an
   * ACCEPT in FORWARD right behind DOCKER-USER. Behind IPVS the client's address is hidden: so the ban is one by hand. Without IPVS no task of the
   * service starts, so the container publishes the port itself; that it calls itself a task of the service gets it none of the service's.
   */
  it('a port of the ingress network is closed on the node that packets enter by', async () => {
    const { host } = lab;
    const url = `http://${host.ip4}:8301/`;
    const published = ['--publish', 'mode=ingress,published=8302,target=80'];
    const create = ['--detach', '--quiet', '--replicas', '0', '--name', 'ingress', ...published];
    const service = await host.docker('service', 'create', ...create, lab.images.nginxProxy);
    const labels = { ...strict('ingress'), 'com.docker.swarm.service.id': service.trim() };
    await using sandbox = await host.run(logged('ingress', { labels, publish: ['8301:80'] }));
    const address = await sandbox.inspect('{{.NetworkSettings.Networks.bridge.IPAddress}}');
    const rules = {
      nat: [
        '-A DOCKER-INGRESS -j RETURN',
        '-I OUTPUT -m addrtype --dst-type LOCAL -j DOCKER-INGRESS',
        '-I PREROUTING -m addrtype --dst-type LOCAL -j DOCKER-INGRESS',
        `-I DOCKER-INGRESS -p tcp --dport 8301 -j DNAT --to-destination ${address}:80`,
      ],
      filter: [
        '-A DOCKER-INGRESS -j RETURN',
        '-I FORWARD 2 -j DOCKER-INGRESS',
        '-I DOCKER-INGRESS -p tcp --dport 80 -j ACCEPT',
        '-I DOCKER-INGRESS -p tcp --sport 80 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      ],
    };
    const input = Object.entries(rules)
      .map(([table, lines]) => [`*${table}`, ':DOCKER-INGRESS - [0:0]', ...lines, 'COMMIT', ''].join('\n'))
      .join('');
    await host.exec(['iptables-restore', '--noflush'], { input });
    const started = await product.sees('jail-started', { jail: 'ingress' });
    expect(started['ports']).toBe('8301/tcp');
    await host.until('served', async () => (await honest.get(url)) === 200);
    await using open = await attacker.open(url);
    expect(await open.get('/')).toBe(200);
    expect(await product.cli('ban', 'ingress', attacker.ip4)).toMatchObject({ exitCode: 0, stdout: '1' });
    expect(await attacker.get(url)).toBe('timeout');
    expect(await open.get('/'), 'the open connection').toBe('timeout');
    expect(await honest.get(url)).toBe(200);
  });
});
