import { describe, expect, it } from 'vitest';
import { startLab } from './lab.ts';
import { type Product, provoke, startProduct } from './product.ts';

const closed = [404, 404, 404, 404, 404, 'timeout'];

describe('other hosts', () => {
  it('iptables-legacy: bans where the live jump is, and leaves the other variant alone', async () => {
    await using lab = await startLab({ iptables: 'legacy' });
    await using product: Product = await startProduct(lab);
    expect(await product.sees('ready')).toMatchObject({ firewall: { variant: 'legacy' } });
    await using attacker = await lab.client('198.51.100.87');
    await using honest = await lab.client('203.0.113.12');
    expect(await provoke(attacker, `http://${lab.host.ip4}`)).toEqual(closed);
    expect(await honest.get(`http://${lab.host.ip4}/`)).toBe(200);
    expect((await lab.host.exec(['iptables-legacy', '-S'])).stdout).toContain('-A DOCKER-USER -j DOCK2BAN');
    expect((await lab.host.exec(['iptables-nft', '-S'])).stdout).not.toContain('DOCK2BAN');
  });

  it("syslog's ISO format", async () => {
    await using lab = await startLab({ syslog: { format: 'iso' } });
    await using product: Product = await startProduct(lab);
    await using attacker = await lab.client('198.51.100.88');
    expect(await provoke(attacker, `http://${lab.host.ip4}`)).toEqual(closed);
    await product.sees('ban', { ip: attacker.ip4, failures: 5 });
  });

  it('IPv6 through docker-proxy: the gateway stands for everyone, so nobody is shut out, and one event explains', async () => {
    await using lab = await startLab({ ipv6: false });
    await using product: Product = await startProduct(lab);
    await using attacker = await lab.client('198.51.100.89');
    await using honest = await lab.client('203.0.113.13');
    const url = `http://[${lab.host.ip6}]`;
    for (let i = 0; i < 7; i++) expect(await attacker.get(`${url}/missing`)).toBe(404);
    expect((await product.sees('address-hidden')).msg).toContain('IPv6 client');
    expect(await honest.get(`${url}/`)).toBe(200);
    expect(await product.eventsOf('address-hidden')).toHaveLength(1);
    expect(await product.eventsOf('ban')).toEqual([]);
    expect(await provoke(attacker, `http://${lab.host.ip4}`), 'over IPv4 it is known').toEqual(closed);
  });

  it('an engine that comes later than dock2ban', async () => {
    await using lab = await startLab();
    await using product: Product = await startProduct(lab);
    await lab.host.docker('update', '--restart', 'always', 'dock2ban', 'nginx-proxy');
    // With live-restore off the engine takes its containers along; dock2ban starts with it, before it answers.
    await lab.host.restartEngine();
    await using attacker = await lab.client('198.51.100.90');
    await lab.host.until(
      'served',
      async () => (await attacker.get(`http://${lab.host.ip4}/`)) === 200,
      20_000,
    );
    await lab.host.until('two starts', async () => (await product.eventsOf('ready')).length === 2);
    expect(await provoke(attacker, `http://${lab.host.ip4}`)).toEqual(closed);
  });
});
