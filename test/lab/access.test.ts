import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import type { Container } from './container.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';
import { logged, onPorts, strict } from './services.ts';

let lab: Lab;
let product: Product;
let friend: Client;
let stranger: Client;

const urls = (port: number): readonly string[] => [
  `http://${lab.host.ip4}:${port}/`,
  `http://[${lab.host.ip6}]:${port}/`,
];

const outcomes = async (client: Client, port: number): Promise<unknown[]> =>
  Promise.all(urls(port).map((url) => client.get(url)));

async function start(labels: Record<string, string>): Promise<Container> {
  return lab.host.run({ name: 'guarded', publish: ['8200:80'], labels });
}

/** What `status` says of a container, once it is as labels want it. */
async function seesStatus(line: string): Promise<void> {
  await lab.host.until(line, async () => (await product.cli('status')).stdout.split('\n').includes(line));
}

describe.each(['docker-user', 'nftables'])('labels say who gets to a container, %s', (backend) => {
  beforeAll(async () => {
    lab = await startLab();
    const environment = `environment: { DOCK2BAN_FIREWALL: ${backend} }`;
    product = await startProduct(lab, `services:\n  dock2ban:\n    ${environment}\n`);
    friend = await lab.client('203.0.113.7');
    stranger = await lab.client('198.51.100.66');
    await lab.host.run({ name: 'bystander', publish: ['8090:80'] });
  });

  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  it('over IPv4 and IPv6, and turn round when it is created anew with others', async () => {
    const first = await start({ 'fail2ban.allowfrom': '203.0.113.0/24,2001:db8:203::/48' });
    await seesStatus('Access to guarded: 8200/tcp allowed from 2001:db8:203::/48, 203.0.113.0/24');
    expect(await outcomes(friend, 8200)).toEqual([200, 200]);
    expect(await outcomes(stranger, 8200)).toEqual(['timeout', 'timeout']);
    expect(await outcomes(stranger, 8090)).toEqual([200, 200]);

    await first[Symbol.asyncDispose]();
    const second = await start({ 'fail2ban.allowfrom': '198.51.100.66 2001:db8:198::66' });
    await seesStatus('Access to guarded: 8200/tcp allowed from 198.51.100.66, 2001:db8:198::66');
    expect(await outcomes(friend, 8200)).toEqual(['timeout', 'timeout']);
    expect(await outcomes(stranger, 8200)).toEqual([200, 200]);
    expect(await outcomes(friend, 8090)).toEqual([200, 200]);

    await second[Symbol.asyncDispose]();
    const third = await start({ 'fail2ban.denyfrom': '198.51.100.0/24' });
    await seesStatus('Access to guarded: 8200/tcp denied from 198.51.100.0/24');
    expect(await outcomes(stranger, 8200)).toEqual(['timeout', 200]);
    expect(await outcomes(friend, 8200)).toEqual([200, 200]);

    await third[Symbol.asyncDispose]();
    await using _fourth = await start({});
    await lab.host.until('it is open again', async () => (await stranger.get(urls(8200)[0]!)) === 200);
    expect(await outcomes(stranger, 8200)).toEqual([200, 200]);
  });

  it('leave other containers and this host alone', async () => {
    await using _guarded = await start({ 'fail2ban.allowfrom': '203.0.113.7' });
    await seesStatus('Access to guarded: 8200/tcp allowed from 203.0.113.7');
    expect(await outcomes(friend, 8200)).toEqual([200, 'timeout']);
    await using neighbour = await lab.host.run({ name: 'neighbour' });
    const fetch = `GET / HTTP/1.0\\r\\n\\r\\n`;
    const ask = (address: string): string =>
      `exec 3<>/dev/tcp/${address}/8200; printf '${fetch}' >&3; head -1 <&3`;
    expect(await neighbour.exec('bash', '-c', ask(lab.host.ip4))).toContain('200 OK');
    for (const address of [lab.host.ip4, '127.0.0.1']) {
      expect((await lab.host.exec(['bash', '-c', ask(address)])).stdout).toContain('200 OK');
    }
    expect((await product.cli('doctor')).stdout).toContain('guarded: 8200/tcp open only to 203.0.113.7');
  });

  it('go together with bans, and with network_mode: host', async () => {
    const labels = {
      ...strict('inner'),
      'fail2ban.port': '8201',
      'fail2ban.allowfrom': '203.0.113.0/24, 198.51.100.0/24',
      'fail2ban.denyfrom': '203.0.113.7',
    };
    await using _inner = await lab.host.run(
      logged('inner', { network: 'host', labels, command: onPorts(8201) }),
    );
    await product.sees('jail-started', { jail: 'inner' });
    await seesStatus(
      'Access to inner: 8201/tcp denied from 203.0.113.7; allowed from 198.51.100.0/24, 203.0.113.0/24',
    );
    expect(await outcomes(friend, 8201)).toEqual(['timeout', 'timeout']);
    expect(await outcomes(stranger, 8201)).toEqual([200, 'timeout']);
    await shutOut(product, stranger, `http://${lab.host.ip4}:8201`, { jail: 'inner', failures: 2 });
  });

  it('hold when the controller is killed, and before it has seen Docker again', async () => {
    await using _guarded = await start({ 'fail2ban.allowfrom': '203.0.113.7' });
    await seesStatus('Access to guarded: 8200/tcp allowed from 203.0.113.7');
    await lab.host.docker('kill', 'dock2ban');
    expect(await outcomes(stranger, 8200)).toEqual(['timeout', 'timeout']);
    // As after a reboot: nothing of it is left in the kernel.
    for (const program of ['iptables', 'ip6tables']) {
      for (const chain of ['INPUT', 'FORWARD', 'DOCKER-USER', 'DOCK2BAN'])
        await lab.host.exec([program, '-D', chain, '-j', 'DOCK2BAN'], { reject: false });
      await lab.host.exec([program, '-F', 'DOCK2BAN'], { reject: false });
    }
    await lab.host.exec(['ipset', 'destroy'], { reject: false });
    await lab.host.exec(['nft', 'delete', 'table', 'inet', 'dock2ban'], { reject: false });
    expect(await outcomes(stranger, 8200)).toEqual([200, 200]);
    const ready = (await product.eventsOf('ready')).length;
    await lab.host.docker('start', 'dock2ban');
    await product.seesAnother('ready', {}, ready);
    expect(await outcomes(stranger, 8200)).toEqual(['timeout', 'timeout']);
    expect(await outcomes(friend, 8200)).toEqual([200, 'timeout']);
  });
});
