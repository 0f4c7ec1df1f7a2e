import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { type Lab, startLab } from './lab.ts';
import { labels, type Product, type ProductEvent, provoke, shutOut, startProduct } from './product.ts';

let lab: Lab;
let product: Product;
let attacker: Client;
let honest: Client;
let url: string;

beforeAll(async () => {
  lab = await startLab();
  product = await startProduct(lab, labels({ 'fail2ban.bantime': '1h', 'fail2ban.findtime': '1h' }));
  attacker = await lab.client('198.51.100.66');
  honest = await lab.client('203.0.113.7');
  url = `http://${lab.host.ip4}`;
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

const timeOf = (event: ProductEvent): number => Date.parse(String(event['time']));

/** What a reboot leaves of the kernel's rules: Docker's own, which its engine makes anew. */
const wipe = `
for tool in iptables ip6tables; do
  for chain in DOCKER-USER FORWARD INPUT; do
    while $tool -D $chain -j DOCK2BAN 2>/dev/null; do :; done
  done
  $tool -F DOCK2BAN 2>/dev/null && $tool -X DOCK2BAN
done
ipset destroy
nft list tables | grep -q dock2ban && nft delete table inet dock2ban
ipset list -n | wc -l`;

it('after SIGKILL and a reboot, bans are back before dock2ban says its first word, with what is left of their time', async () => {
  const ban = await shutOut(product, attacker, url, { jail: 'nginx-proxy', failures: 5 });
  // The honest one has mistyped four times.
  expect(await provoke(honest, url, 4)).toEqual([404, 404, 404, 404]);
  await product.sees('found', { ip: honest.ip4, failures: 4 });
  await delay(1000);
  await lab.host.docker('kill', '--signal', 'KILL', 'dock2ban');
  expect((await lab.host.exec(['sh', '-c', wipe])).stdout.trim()).toBe('0');
  expect(await attacker.get(`${url}/`)).toBe(200);
  const isReady = product.seesAnother('ready', {}, 1, 60_000);
  const series = attacker.series(`${url}/`, { count: 240, intervalMs: 50, timeoutMs: 1000 });
  await delay(500);
  await lab.host.docker('start', 'dock2ban');
  const started = Date.parse(
    await lab.host.docker('inspect', '--format', '{{.State.StartedAt}}', 'dock2ban'),
  );
  await isReady;
  await product.sees('restore', { ip: ban.ip });
  const events = (await product.events()).filter((event) => timeOf(event) > started);
  const firstWord = timeOf(events[0]!);
  const readyAt = timeOf(events.find(({ event }) => event === 'ready')!);
  const records = await series;
  const served = records.filter(({ outcome }) => outcome === 200);
  // Until its process has come up, nobody is there; from then on the attacker is out, before Docker has even been asked.
  expect(served.at(-1)!.sentAt).toBeLessThan(firstWord);
  expect(records.findLastIndex(({ outcome }) => outcome === 200)).toBe(served.length - 1);
  expect(records.filter(({ outcome, sentAt }) => outcome !== 200 && sentAt < readyAt)).not.toEqual([]);
  const restored = events.filter(({ event }) => event === 'restore');
  expect(restored.map(({ jail, ip, until }) => [jail, ip, until])).toEqual([
    [ban.jail, ban.ip, ban['until']],
  ]);
  const left = (Date.parse(String(ban['until'])) - Date.now()) / 1000;
  const listed = (await lab.host.exec(['ipset', 'list'])).stdout;
  const timeouts = [...listed.matchAll(/^198\.51\.100\.66 .*timeout (\d+)/gm)].map(([, seconds]) =>
    Number(seconds),
  );
  expect(timeouts.length).toBeGreaterThan(0);
  for (const timeout of timeouts) expect(Math.abs(timeout - left)).toBeLessThan(5);
  // What was counted before counts.
  expect(await honest.get(`${url}/missing`, { host: 'app.example.com' })).toBe(404);
  await product.sees('ban', { ip: honest.ip4, failures: 5 });
});
