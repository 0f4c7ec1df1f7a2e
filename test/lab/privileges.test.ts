import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from './lab.ts';
import { type Product, provoke, startProduct } from './product.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab();
});

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
});

/** Capability numbers of linux/capability.h. */
const netAdmin = 1n << 12n;
const netRaw = 1n << 13n;

describe('the container', () => {
  // First, while no rules of an earlier run stand in the kernel.
  it('needs NET_RAW: without it, it says what is not enforced and why, and goes on', async () => {
    await using product: Product = await startProduct(
      lab,
      'services:\n  dock2ban:\n    cap_add: !override [NET_ADMIN]\n',
    );
    const error = await product.sees('firewall-error');
    expect(error.msg).toContain('NET_RAW');
    expect((await product.cli('status', '--json')).stdout).toContain('"healthy": false');
    await using attacker = await lab.client('198.51.100.86');
    expect((await provoke(attacker, `http://${lab.host.ip4}`, 6)).at(-1)).toBe(404);
    const errors = await product.eventsOf('firewall-error');
    expect(errors.length, 'not once every five seconds').toBeLessThan(5);
  });

  it('has NET_ADMIN and NET_RAW, no other capability, no way to more, and no writable root', async () => {
    await using product: Product = await startProduct(lab);
    const container = lab.host.container('dock2ban');
    const status = await readFile(lab.host.path(`/proc/${await container.pid()}/status`), 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)![1]!;
    for (const set of ['CapEff', 'CapPrm', 'CapBnd']) {
      expect(BigInt(`0x${field(set)}`), set).toBe(netAdmin | netRaw);
    }
    expect(field('NoNewPrivs')).toBe('1');
    expect(await container.inspect('{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Privileged}}')).toBe(
      'true false',
    );
    expect((await product.cli('status')).exitCode).toBe(0);
  });

  it('has a health check that passes', async () => {
    await using _product: Product = await startProduct(
      lab,
      'services:\n  dock2ban:\n    healthcheck: { interval: 1s }\n',
    );
    const health = () => lab.host.container('dock2ban').inspect('{{.State.Health.Status}}');
    await lab.host.until('checked', async () => (await health()) !== 'starting');
    expect(await health()).toBe('healthy');
  });
});
