import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, startProduct } from './product.ts';

/** A service as many are: it logs the path of a request decoded, line feeds and all. */
const service = `
require('node:http').createServer((request, response) => {
  const found = request.url === '/';
  const client = request.socket.remoteAddress.replace('::ffff:', '');
  console.log(client + ' GET ' + decodeURIComponent(request.url) + ' ' + (found ? 200 : 404));
  response.writeHead(found ? 200 : 404).end();
}).listen(80, '::');
`;

/** Milliseconds until a new watch is believed, and a little more. */
const settled = 12_000;

describe.each(['docker-user', 'nftables'])('bans of what a log says, with %s', (firewall) => {
  let lab: Lab;
  let product: Product;
  let attackers = 0;

  const attacker = (): Promise<Client> => {
    attackers += 1;
    return lab.client(`198.51.100.${attackers}`);
  };
  const urls = (): string[] => [`http://${lab.host.ip4}:8080`, `http://[${lab.host.ip6}]:8080`];
  /** Requests whose path brings a failure of somebody else into the log. */
  const forge = async (client: Client, victim: string, count: number): Promise<void> => {
    const path = `/%0A${encodeURIComponent(`${victim} GET /x 404`)}%0A`;
    for (let i = 0; i < count; i += 1) await client.get(`${urls()[0]}${path}`);
  };

  beforeAll(async () => {
    lab = await startLab();
    product = await startProduct(
      lab,
      `services: { dock2ban: { environment: { DOCK2BAN_FIREWALL: ${firewall} } } }\n`,
    );
    await lab.host.run({
      name: 'app',
      image: 'dock2ban/dock2ban:latest',
      publish: ['8080:80'],
      labels: { 'fail2ban.jail': 'app', 'fail2ban.failregex': String.raw`^<ADDR> GET \S+ 404$` },
      arguments: ['--entrypoint', 'node'],
      command: ['-e', service],
    });
    await product.sees('jail-started', { jail: 'app' });
    await delay(settled);
  });

  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  it('never fall on a victim of forged lines, who was never there; who forges them is banned for failures of its own', async () => {
    await using forger = await attacker();
    await using victim = await lab.client('203.0.113.7');
    await forge(forger, '203.0.113.7', 25);
    expect(await product.sees('ban-uncorroborated', { jail: 'app', ip: '203.0.113.7' })).toMatchObject({
      line: '203.0.113.7 GET /x 404',
    });
    await delay(2000);
    expect(await product.eventsOf('ban', { jail: 'app', ip: '203.0.113.7' })).toEqual([]);
    expect(await product.eventsOf('ban-uncorroborated', { ip: '203.0.113.7' })).toHaveLength(1);
    expect(await victim.get(urls()[0]!)).toBe(200);
    const { stdout } = await product.cli('stats', '--json');
    const { jails } = JSON.parse(stdout);
    expect(jails.find(({ jail }: { jail: string }) => jail === 'app').uncorroborated).toBeGreaterThan(0);
    expect((await product.cli('status', 'app')).stdout).toContain('checked against connections: on');
    expect((await product.cli('why', '203.0.113.7')).stdout).toContain('is not banned');
    for (let i = 0; i < 6; i += 1) await forger.get(`${urls()[0]}/missing`);
    expect(await product.sees('ban', { jail: 'app', ip: '198.51.100.1' })).toMatchObject({ failures: 5 });
    expect(await forger.get(urls()[0]!)).toBe('timeout');
    expect(await victim.get(urls()[0]!)).toBe(200);
  });

  it.each([0, 1])('fall at the fifth failure on whoever was there (address family %i)', async (family) => {
    const url = urls()[family]!;
    for (const way of ['single', 'kept open', 'parallel']) {
      attackers += 1;
      const ip = `198.51.100.${attackers}`;
      await using client = await lab.client(ip);
      if (way === 'single') for (let i = 0; i < 5; i += 1) await client.get(`${url}/missing`);
      else if (way === 'kept open') {
        await using connection = await client.open(`${url}/`);
        await delay(1000);
        for (let i = 0; i < 5; i += 1) await connection.get('/missing');
      } else await client.series(`${url}/missing`, { count: 100, intervalMs: 1, connections: 50 });
      const prefix = family === 0 ? ip : '2001:db8:198::/64';
      const ban = await product.sees('ban', { jail: 'app', ip: prefix });
      expect(ban.failures).toBeGreaterThanOrEqual(5);
      expect(await client.get(url)).toBe('timeout');
      await product.cli('unban', 'app', prefix);
      await lab.host.until('the unban', async () => (await client.get(url)) === 200, 5000);
    }
  });

  it('fall in the middle of a flush and of restarts, too', async () => {
    const upset: readonly (() => Promise<unknown>)[] = [
      () => lab.host.exec(['nft', 'delete', 'table', 'inet', 'dock2ban-visitors']),
      () => lab.host.exec(['iptables', '-F', 'DOCKER-USER']),
      () => lab.host.docker('restart', 'dock2ban'),
      () => product.cli('reload'),
    ];
    for (const act of upset) {
      await using client = await attacker();
      const ip = `198.51.100.${attackers}`;
      for (let i = 0; i < 3; i += 1) await client.get(`${urls()[0]}/missing`);
      await act();
      for (let i = 0; i < 4; i += 1) await client.get(`${urls()[0]}/missing`);
      expect(await product.sees('ban', { jail: 'app', ip })).toBeDefined();
      await lab.host.until('the ban', async () => (await client.get(urls()[0]!)) === 'timeout', 10_000);
    }
  });

  it('still fall on nobody who was not there after a restart', async () => {
    await lab.host.docker('restart', 'dock2ban');
    await product.seesAnother('ready', {}, 1);
    await using forger = await attacker();
    await forge(forger, '203.0.113.8', 6);
    await product.sees('ban-uncorroborated', { jail: 'app', ip: '203.0.113.8' });
    expect(await product.eventsOf('ban', { jail: 'app', ip: '203.0.113.8' })).toEqual([]);
  });
});
