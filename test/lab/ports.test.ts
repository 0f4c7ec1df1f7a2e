import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, provoke, startProduct } from './product.ts';

let lab: Lab;
let product: Product;
let honest: Client;

beforeAll(async () => {
  lab = await startLab();
  product = await startProduct(lab);
  honest = await lab.client('203.0.113.7');
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

const onPort8099 = String.raw`sed -i 's/listen 80 /listen 8099 /; s/listen \[::\]:80 /listen [::]:8099 /; /listen.*443/d' /etc/nginx/nginx.conf`;

const syslog = (tag: string) => ({ driver: 'syslog', options: { tag } });

describe('what a ban closes', () => {
  it('is every published port of the container, host port ≠ container port, and nothing of a container that did not opt in', async () => {
    await using _app = await lab.host.run({
      name: 'app',
      publish: ['8080:80', '8443:443'],
      labels: { 'fail2ban.jail': 'app', 'fail2ban.filter': 'nginx-proxy' },
      log: syslog('app'),
    });
    await using _bystander = await lab.host.run({
      name: 'bystander',
      publish: ['8090:80'],
      log: syslog('bystander'),
    });
    await product.sees('jail-started', { jail: 'app' });
    await lab.host.until(
      'app serves',
      async () => (await honest.get(`http://${lab.host.ip4}:8080/`)) === 200,
    );
    await using attacker = await lab.client('198.51.100.68');
    expect(await provoke(attacker, `http://${lab.host.ip4}:8080`)).toEqual([
      404,
      404,
      404,
      404,
      404,
      'timeout',
    ]);
    expect(await attacker.get(`http://${lab.host.ip4}:8443/`)).toBe('timeout');
    expect(await attacker.get(`http://${lab.host.ip4}:8090/`), 'the bystander').toBe(200);
    expect(await attacker.get(`http://${lab.host.ip4}/`), "nginx-proxy, another jail's").toBe(200);
    expect(await honest.get(`http://${lab.host.ip4}:8080/`)).toBe(200);
  });

  it('is the ports of all containers that share the jail, and their failures add up', async () => {
    const shared = { 'fail2ban.jail': 'shared', 'fail2ban.filter': 'nginx-proxy' };
    await using _one = await lab.host.run({
      name: 'one',
      publish: ['8081:80'],
      labels: shared,
      log: syslog('one'),
    });
    await product.sees('jail-started', { jail: 'shared' });
    await using _two = await lab.host.run({
      name: 'two',
      publish: ['8082:80'],
      labels: shared,
      log: syslog('two'),
    });
    await product.sees('jail-changed', { jail: 'shared' });
    await using attacker = await lab.client('198.51.100.69');
    for (const port of [8081, 8082, 8081, 8082, 8081]) {
      expect(await attacker.get(`http://${lab.host.ip4}:${port}/missing`)).toBe(404);
    }
    await product.sees('ban', { jail: 'shared', ip: attacker.ip4, failures: 5 });
    expect(await attacker.get(`http://${lab.host.ip4}:8081/`)).toBe('timeout');
    expect(await attacker.get(`http://${lab.host.ip4}:8082/`)).toBe('timeout');
    expect(await honest.get(`http://${lab.host.ip4}:8082/`)).toBe(200);
  });

  it('is what the label fail2ban.port says: a list, or all', async () => {
    const filter = { 'fail2ban.filter': 'nginx-proxy', 'fail2ban.maxretry': '1' };
    await using _list = await lab.host.run({
      name: 'list',
      publish: ['8083:80', '8084:80'],
      labels: { 'fail2ban.jail': 'list', 'fail2ban.port': '8083/tcp', ...filter },
      log: syslog('list'),
    });
    await using _all = await lab.host.run({
      name: 'everything',
      publish: ['8085:80'],
      labels: { 'fail2ban.jail': 'everything', 'fail2ban.port': 'all', ...filter },
      log: syslog('everything'),
    });
    await product.sees('jail-started', { jail: 'list' });
    await product.sees('jail-started', { jail: 'everything' });
    await using attacker = await lab.client('198.51.100.70');
    expect(await provoke(attacker, `http://${lab.host.ip4}:8083`)).toEqual([404, 'timeout']);
    expect(await attacker.get(`http://${lab.host.ip4}:8084/`), 'not in the list').toBe(200);
    expect(await provoke(attacker, `http://${lab.host.ip4}:8085`)).toEqual([404, 'timeout']);
    expect(await attacker.get(`http://${lab.host.ip4}:8084/`), 'all is closed').toBe('timeout');
    expect(await attacker.get(`http://${lab.host.ip4}/`), 'all is closed').toBe('timeout');
    expect(await honest.get(`http://${lab.host.ip4}:8085/`)).toBe(200);
  });

  it('is everything of the host for a container in network_mode: host, unless it names its ports', async () => {
    await using _host = await lab.host.run({
      name: 'on-host',
      network: 'host',
      labels: { 'fail2ban.jail': 'on-host', 'fail2ban.filter': 'nginx-proxy', 'fail2ban.port': '8099' },
      log: syslog('on-host'),
      command: ['sh', '-c', `${onPort8099}; exec nginx -g 'daemon off;'`],
    });
    await product.sees('jail-started', { jail: 'on-host' });
    await lab.host.until(
      'nginx on the host',
      async () => (await honest.get(`http://${lab.host.ip4}:8099/`)) === 200,
    );
    await using attacker = await lab.client('198.51.100.71');
    expect(await provoke(attacker, `http://${lab.host.ip4}:8099`)).toEqual([
      404,
      404,
      404,
      404,
      404,
      'timeout',
    ]);
    expect(await attacker.get(`http://${lab.host.ip4}/`)).toBe(200);
    expect(await honest.get(`http://${lab.host.ip4}:8099/`)).toBe(200);
  });
});
