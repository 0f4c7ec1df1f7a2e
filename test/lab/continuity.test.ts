import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from './lab.ts';
import { labels, type Product, provoke, startProduct } from './product.ts';

let lab: Lab;
let url: string;

beforeAll(async () => {
  lab = await startLab();
  url = `http://${lab.host.ip4}`;
});

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
});

describe('bans outlive what happens', () => {
  it('SIGKILL: they hold, are taken over without a gap, and end on time', async () => {
    await using product: Product = await startProduct(lab, labels({ 'fail2ban.bantime': 20 }));
    await using attacker = await lab.client('198.51.100.77');
    expect((await provoke(attacker, url)).at(-1)).toBe('timeout');
    const { until } = await product.sees('ban', { ip: attacker.ip4 });
    const end = Date.parse(until as string);
    const attempts = attacker.series(`${url}/`, { count: 40, intervalMs: 250, timeoutMs: 400 });
    await product.compose('kill', '--signal', 'SIGKILL', 'dock2ban');
    await product.compose('rm', '--force', 'dock2ban');
    await product.compose('up', '--detach', '--no-build');
    const restored = await product.sees('restore', { jail: 'nginx-proxy', ip: attacker.ip4 });
    expect(Math.abs(Date.parse(restored['until'] as string) - end)).toBeLessThan(2000);
    expect((await product.cli('banned', attacker.ip4)).stdout).toBe("[['nginx-proxy']]");
    const served = (await attempts).filter(({ outcome }) => outcome !== 'timeout');
    expect(served, 'not one request got through before, during and after the restart').toEqual([]);
    await product.sees('unban', { ip: attacker.ip4, reason: 'expired' }, 25_000);
    await lab.host.until(
      'let in',
      async () => (await attacker.get(`${url}/`, { timeoutMs: 300 })) === 200,
      3000,
    );
  });

  it('SIGTERM keeps them, exits 0 within 2 seconds, and leaves no socket', async () => {
    await using product: Product = await startProduct(lab);
    await using attacker = await lab.client('198.51.100.78');
    expect((await provoke(attacker, url)).at(-1)).toBe('timeout');
    const asked = Date.now();
    await lab.host.docker('stop', '--time', '10', 'dock2ban');
    expect(Date.now() - asked).toBeLessThan(3000);
    expect(await lab.host.container('dock2ban').inspect('{{.State.ExitCode}}')).toBe('0');
    expect(await attacker.get(`${url}/`)).toBe('timeout');
    await product.sees('stopped');
    await product.compose('up', '--detach', '--no-build');
    await product.cli('unban', '--all');
  });

  it('a container that is re-created with another port and address, of its own and of the host: the ban follows', async () => {
    await using product: Product = await startProduct(lab);
    await using attacker = await lab.client('198.51.100.79');
    await using honest = await lab.client('203.0.113.9');
    expect((await provoke(attacker, url)).at(-1)).toBe('timeout');
    const app = {
      name: 'nginx-proxy',
      labels: { 'fail2ban.jail': 'nginx-proxy' },
      log: { driver: 'syslog', options: { tag: 'nginx-proxy' } },
    };
    await lab.host.docker('rm', '--force', 'nginx-proxy');
    await product.sees('jail-stopped', { jail: 'nginx-proxy' });
    await lab.host.docker('network', 'create', 'elsewhere');
    const publish = [`${lab.host.ip4}:8000:80`];
    await using _again = await lab.host.run({ ...app, network: 'elsewhere', publish });
    await lab.host.until('the new port serves', async () => (await honest.get(`${url}:8000/`)) === 200);
    await lab.host.until(
      'closed again',
      async () => (await attacker.get(`${url}:8000/`, { timeoutMs: 400 })) === 'timeout',
      3000,
    );
    await product.cli('unban', '--all');
    expect(await attacker.get(`${url}:8000/`)).toBe(200);
  });

  it('an engine that is killed and starts again', async () => {
    // Docker 20.10 takes unless-stopped containers for stopped by hand when it was killed.
    const services = ['dock2ban', 'docker-socket', 'nginx-proxy'].map(
      (name) => `  ${name}: { restart: always }`,
    );
    const always = `services:\n${services.join('\n')}\n`;
    await using product: Product = await startProduct(lab, always);
    await using attacker = await lab.client('198.51.100.80');
    await using honest = await lab.client('203.0.113.10');
    expect((await provoke(attacker, url)).at(-1)).toBe('timeout');
    await lab.host.restartEngine('SIGKILL');
    await lab.host.until(
      'nginx-proxy serves again',
      async () => (await honest.get(`${url}/`)) === 200,
      30_000,
    );
    await lab.host.until(
      'the attacker is shut out',
      async () => (await attacker.get(`${url}/`, { timeoutMs: 400 })) === 'timeout',
      6000,
    );
    // The engine starts dock2ban and what it reaches Docker by in any order.
    await lab.host.until(
      'its jail has the ban',
      async () => (await product.cli('banned', attacker.ip4)).stdout === "[['nginx-proxy']]",
    );
  });

  it('log rotation by rename and by copytruncate', async () => {
    await using product: Product = await startProduct(lab);
    const rename = ['sh', '-c', 'mv /var/log/syslog /var/log/syslog.1 && kill -HUP $(cat /run/rsyslogd.pid)'];
    const copytruncate = [
      'sh',
      '-c',
      'cp /var/log/syslog /var/log/syslog.1 && truncate -s 0 /var/log/syslog',
    ];
    for (const [last, rotate] of [
      [81, rename],
      [82, copytruncate],
    ] as const) {
      await using attacker = await lab.client(`198.51.100.${last}`);
      await attacker.get(`${url}/missing`);
      await attacker.get(`${url}/missing`);
      await lab.host.exec(rotate);
      expect((await provoke(attacker, url)).at(-1)).toBe('timeout');
      await product.sees('ban', { ip: attacker.ip4, failures: 5 });
    }
  });
});
