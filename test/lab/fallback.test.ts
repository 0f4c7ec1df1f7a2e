import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMemory } from '../../bench/latency/memory.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';

let lab: Lab;
let product: Product;

beforeAll(async () => {
  lab = await startLab();
  product = await startProduct(lab);
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

async function attackIsShutOut(ip: string): Promise<void> {
  await using attacker = await lab.client(ip);
  await shutOut(product, attacker, `http://${lab.host.ip4}`, { jail: 'nginx-proxy', failures: 5 });
}

describe("Docker's own copy of a log", () => {
  it("ends an attack while the host's syslog file is gone, and the file does when it is back", async () => {
    await lab.host.exec(['mv', '/var/log/syslog', '/var/log/elsewhere']);
    const { containers } = await product.sees('source-fallback');
    expect(containers).toContain('nginx-proxy');
    await attackIsShutOut('198.51.100.41');
    await lab.host.exec(['mv', '/var/log/elsewhere', '/var/log/syslog']);
    await product.sees('source-resumed');
    // The file's stamps are whole seconds: what may have been in Docker's copy is passed over.
    await delay(2000);
    await attackIsShutOut('198.51.100.42');
    // The fifth request made the ban, and none was counted twice.
    for (const ip of ['198.51.100.41', '198.51.100.42']) {
      expect((await product.eventsOf('found', { ip })).length).toBeGreaterThanOrEqual(5);
      expect(await product.eventsOf('ban', { ip })).toMatchObject([{ failures: 5 }]);
    }
  });
});

describe('a container that logs what no program should', () => {
  it.each([
    ['100 MB in one line', "head -c 100000000 /dev/zero | tr '\\0' x"],
    ['NULs only', 'head -c 20000000 /dev/zero'],
  ])('%s: is cut, and costs no memory and no ban', async (_, what) => {
    const pid = await lab.host.container('dock2ban').pidUnderInit();
    await using container = await lab.host.run({
      image: lab.images.base,
      labels: { 'fail2ban.jail': 'nginx-proxy' },
      command: ['bash', '-c', `${what}; echo; echo end; sleep 600`],
    });
    const name = (await container.inspect('{{.Name}}')).slice(1);
    await product.sees('lines-cut', { source: `docker:${name}`, total: 1 }, 60_000);
    const earlier = (await product.eventsOf('ban')).length;
    await attackIsShutOut(earlier === 2 ? '198.51.100.43' : '198.51.100.44');
    const { vmRss } = await readMemory(lab.host, pid);
    expect(vmRss).toBeLessThan(200);
  });
});
