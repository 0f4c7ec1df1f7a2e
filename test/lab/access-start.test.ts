import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import type { Outcome } from './client-protocol.ts';
import { type Lab, startLab } from './lab.ts';
import { labImages } from './images.ts';
import { type Product, startProduct } from './product.ts';

let lab: Lab;
let product: Product;
let friend: Client;
let stranger: Client;

/** A service that answers a few milliseconds after its start: a slow one would be closed in time by any means. */
const program = `use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => 80, Listen => 1024, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
  sysread $client, my $request, 4096;
  print $client "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n";
  close $client;
}`;
const service = [labImages.base, 'perl', '-e', program];

const labels = ['--label', 'fail2ban.allowfrom=203.0.113.0/24'];
const isClosed = 'Access to guarded: 8200/tcp allowed from 203.0.113.0/24';

const url = (port: number): string => `http://${lab.host.ip4}:${port}/`;

/** Knocks every few milliseconds, each time with a connection of its own. */
async function hammer(seconds: number): Promise<readonly Outcome[]> {
  const durationMs = seconds * 1000;
  const records = await stranger.series(url(8200), { count: durationMs / 4, intervalMs: 4, durationMs });
  return records.map(({ outcome }) => outcome);
}

async function create(name: string, ...more: readonly string[]): Promise<void> {
  await lab.host.docker('create', '--name', name, '--publish', '8200:80', ...more, ...service);
}

async function saysStatus(line: string): Promise<boolean> {
  return (await product.cli('status')).stdout.split('\n').includes(line);
}

async function isServed(client: Client): Promise<void> {
  await lab.host.until('served', async () => (await client.get(url(8200))) === 200);
}

describe.each(['docker-user', 'nftables'])('labels hold from the first packet on, %s', (backend) => {
  beforeAll(async () => {
    lab = await startLab();
    product = await startProduct(
      lab,
      `services:\n  dock2ban:\n    environment: { DOCK2BAN_FIREWALL: ${backend} }\n`,
    );
    friend = await lab.client('203.0.113.7');
    stranger = await lab.client('198.51.100.66');
  });

  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  it('when it is started, stopped, restarted, and created anew', async () => {
    const hammering = hammer(30);
    for (const _ of ['first', 'anew']) {
      await create('guarded', ...labels);
      await lab.host.until('closed', async () => saysStatus(isClosed));
      await lab.host.docker('start', 'guarded');
      await isServed(friend);
      await lab.host.docker('restart', '--time', '1', 'guarded');
      await isServed(friend);
      await lab.host.docker('stop', '--time', '1', 'guarded');
      await lab.host.docker('start', 'guarded');
      await isServed(friend);
      await lab.host.docker('rm', '--force', 'guarded');
      await lab.host.until('open', async () => !(await saysStatus(isClosed)));
    }
    const outcomes = new Set(await hammering);
    // Refused: while nothing is there at all.
    expect(outcomes).toEqual(new Set(['refused', 'timeout']));
  });

  it('when it restarts by itself, and when the controller starts while it is stopped', async () => {
    await using guarded = lab.host.container('guarded');
    await create('guarded', ...labels, '--restart', 'always');
    await lab.host.until('closed', async () => saysStatus(isClosed));
    await lab.host.docker('start', 'guarded');
    await isServed(friend);
    const hammering = hammer(10);
    await guarded.crash();
    await isServed(friend);
    await lab.host.docker('stop', '--time', '1', 'guarded');
    const ready = (await product.eventsOf('ready')).length;
    await lab.host.docker('restart', '--time', '5', 'dock2ban');
    await product.seesAnother('ready', {}, ready);
    await lab.host.docker('start', 'guarded');
    await isServed(friend);
    for (const outcome of await hammering) expect(['refused', 'timeout', 'unreachable']).toContain(outcome);
  });

  it('and leave a port alone that another container has, runs or is restarted', async () => {
    await using other = lab.host.container('other');
    await using _guarded = lab.host.container('guarded');
    await create('other');
    await lab.host.docker('start', other.name);
    await isServed(stranger);
    const hammering = hammer(3);
    await create('guarded', ...labels);
    await product.sees('ready');
    expect(new Set(await hammering)).toEqual(new Set([200]));
    await lab.host.docker('restart', '--time', '1', other.name);
    await isServed(stranger);
    expect(await saysStatus(isClosed)).toBe(false);
    await other[Symbol.asyncDispose]();
    await lab.host.until('closed', async () => saysStatus(isClosed));
    await create('other');
    await lab.host.docker('start', other.name);
    await lab.host.until('the running one has it', async () => !(await saysStatus(isClosed)));
    await isServed(stranger);
  });

  it('but for ports that Docker chooses at the start: that is said', async () => {
    await using _chosen = lab.host.container('chosen');
    await lab.host.docker('create', '--name', 'chosen', '--publish', '80', ...labels, ...service);
    const notice = await product.sees('config-notice', { container: 'chosen' });
    expect(notice.msg).toContain('Docker chooses ports for it when it starts');
  });
});
