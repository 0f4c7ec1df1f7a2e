import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fail2banTree } from '../conformance/fail2ban-tree.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, provoke, startProduct } from './product.ts';

const bantime = 4;
const jailLocal = `
[DEFAULT]
bantime = ${bantime}
bantime.increment = true
bantime.factor = 1.5

[recidive]
enabled = true
maxretry = 3
bantime = 1h
bantime.increment = false
`;

let lab: Lab;
let product: Product;
let folder: string;

beforeAll(async () => {
  lab = await startLab();
  folder = await mkdtemp(join(tmpdir(), 'dock2ban-increment-'));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'jail.local'), jailLocal);
  product = await startProduct(lab, `services:\n  dock2ban:\n    volumes: ['${folder}:/etc/fail2ban:ro']\n`);
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Seconds of the bans after one and two earlier ones, as fail2ban's own code computes them. */
async function fail2banTimes(): Promise<number[]> {
  const options = { increment: 'true', factor: '1.5' };
  const input = { random: 0, growth: [{ options, bantime, counts: [1, 2] }], histories: [] };
  const program = fileURLToPath(new URL('../conformance/increment.py', import.meta.url));
  const output = execFileSync('/usr/bin/python3', [program], {
    input: JSON.stringify(input),
    env: { PYTHONPATH: (await fail2banTree()).pythonPath },
    encoding: 'utf8',
  });
  return (JSON.parse(output) as { growth: number[][] }).growth[0]!;
}

it('three bans last as long as fail2ban’s would; the third shuts out of everything, for recidive', async () => {
  await using attacker = await lab.client('198.51.100.66');
  await using honest = await lab.client('203.0.113.7');
  const url = `http://${lab.host.ip4}`;
  await lab.host.run({ name: 'other', publish: ['8090:80'] });
  const other = `http://${lab.host.ip4}:8090/`;
  await lab.host.until('the other service', async () => (await honest.get(other)) === 200);
  const times: unknown[] = [];
  for (let round = 0; round < 3; round++) {
    if (round > 0) {
      await product.seesAnother('unban', { jail: 'nginx-proxy' }, round - 1, 60_000);
      expect(await attacker.get(`${url}/`)).toBe(200);
    }
    expect(await attacker.get(other)).toBe(200);
    expect((await provoke(attacker, url)).at(-1)).toBe('timeout');
    const ban = await product.seesAnother('ban', { jail: 'nginx-proxy' }, round);
    times.push(ban['bantime']);
  }
  expect(times).toEqual([bantime, ...(await fail2banTimes())]);
  expect(await product.sees('ban', { jail: 'recidive' })).toMatchObject({ ip: attacker.ip4, bantime: 3600 });
  for (const closed of [other, `${url}/`, `http://${lab.host.ip4}:443/`]) {
    expect(await attacker.get(closed)).toBe('timeout');
    expect(await honest.get(closed)).toBe(200);
  }
});
