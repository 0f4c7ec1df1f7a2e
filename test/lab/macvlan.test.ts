import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { type Lab, startLab } from './lab.ts';
import { Lan, lanDevice } from './lan.ts';
import { type Product, shutOut, startProduct } from './product.ts';
import { logged, onPorts, strict } from './services.ts';

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
  it('is told of who is not shut out', async () => {
    await using _app = await lab.host.run(logged('lan-notice', { network: 'lan' }));
    const where = 'container lan-notice, network lan';
    const problem = await product.sees('config-notice', { where });
    expect(problem.level).toBe('info');
    expect(problem.msg).toContain(`bans are enforced where packets enter by ${lanDevice}`);
  });

  // Its packets pass none of inet's hooks on the host, only netdev's ingress on the parent.
  it('is closed to the attacker, its open connection too', async () => {
    const network = { network: 'lan', arguments: ['--ip', address] };
    await using _app = await lab.host.run(logged('lan', { ...network, labels: strict('lan') }));
    const started = await product.sees('jail-started', { jail: 'lan' });
    expect(started.msg).toContain(`closes ${address}`);
    await lab.host.until('served', async () => (await honest.get(`${url}/`)) === 200);
    await using open = await attacker.open(`${url}/`);
    expect(await open.get('/')).toBe(200);
    await shutOut(product, attacker, url, { jail: 'lan', failures: 2 });
    expect(await open.get('/'), 'the open connection').toBe('timeout');
    expect(await honest.get(`${url}/`)).toBe(200);
    const ban = (await product.eventsOf('ban', { jail: 'lan' }))[0]!;
    await lab.host.exec(['nft', 'delete', 'table', 'netdev', 'dock2ban']);
    const repair = await product.sees('firewall-repaired', {}, 10_000);
    expect(repair.msg).toContain('table netdev dock2ban was missing');
    expect(await attacker.get(`${url}/`)).toBe('timeout');
    expect(await product.cli('unban', 'lan', String(ban.ip))).toMatchObject({ exitCode: 0, stdout: '1' });
    expect(await attacker.get(`${url}/`)).toBe(200);
  });

  it('is closed at the port that its label names, and at no other', async () => {
    const labels = { ...strict('lan-port'), 'fail2ban.port': '80' };
    const network = { network: 'lan', arguments: ['--ip', address] };
    await using _app = await lab.host.run(
      logged('lan-port', { ...network, labels, command: onPorts(80, 8080) }),
    );
    await product.sees('jail-started', { jail: 'lan-port' });
    await lab.host.until('served', async () => (await honest.get(`${url}/`)) === 200);
    await shutOut(product, attacker, url, { jail: 'lan-port', failures: 2 });
    expect(await honest.get(`${url}/`)).toBe(200);
    expect(await attacker.get(`${url}:8080/`)).toBe(200);
  });

  it('is open to those whom its label names, and asks whom it likes', async () => {
    const labels = { 'fail2ban.allowfrom': '192.0.2.131' };
    const network = { network: 'lan', arguments: ['--ip', address] };
    await using app = await lab.host.run({ name: 'lan-label', labels, ...network });
    const started = await product.sees('access', { container: 'lan-label' });
    expect(started.msg).toBe(`Access to lan-label: ${address} open to 192.0.2.131`);
    await lab.host.until('served', async () => (await honest.get(`${url}/`)) === 200);
    expect(await attacker.get(`${url}/`)).toBe('timeout');
    const ask = `exec 3<>/dev/tcp/192.0.2.130/9; echo connected`;
    // Nobody listens there: that it is refused is an answer.
    expect(await app.exec('bash', '-c', `(${ask}) 2>&1 || true`)).toContain('Connection refused');
    expect((await product.cli('status')).stdout).toContain(
      `Access to lan-label: ${address} allowed from 192.0.2.131`,
    );
    expect((await product.cli('doctor')).stdout).toContain(`lan-label: ${address} open only to 192.0.2.131`);
  });

  it('is closed by its label to those who are denied, at the port that is named', async () => {
    const labels = { 'fail2ban.denyfrom': '192.0.2.130', 'fail2ban.port': '80' };
    const network = { network: 'lan', arguments: ['--ip', address] };
    await using _app = await lab.host.run({
      name: 'lan-deny',
      labels,
      ...network,
      command: onPorts(80, 8080),
    });
    await product.sees('access', { container: 'lan-deny' });
    await lab.host.until('served', async () => (await honest.get(`${url}/`)) === 200);
    expect(await attacker.get(`${url}/`)).toBe('timeout');
    expect(await attacker.get(`${url}:8080/`)).toBe(200);
  });

  it('leaves no table behind when it is gone', async () => {
    const tables = async (): Promise<string> => (await lab.host.exec(['nft', 'list', 'tables'])).stdout;
    await lab.host.until('removed', async () => !(await tables()).includes('netdev'));
    expect(await tables()).not.toContain('netdev dock2ban');
  });
});
