import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from './lab.ts';
import { labels, type Product, provoke, startProduct } from './product.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab();
});

afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

const ipv6Network = `
networks:
  default:
    enable_ipv6: true
    ipam:
      config: [{ subnet: 172.30.0.0/24 }, { subnet: 'fd00:d2b:2::/64' }]
`;

/** `[family, changes to the example, the host's URL, an address of a client]` */
const families = [
  ['IPv4', '', () => `http://${lab.host.ip4}`, ({ ip4 }: { ip4: string }) => ip4],
  ['IPv6', ipv6Network, () => `http://[${lab.host.ip6}]`, ({ ip6 }: { ip6: string }) => ip6],
] as const;

describe.each(families)('the main job over %s', (_, network, hostUrl, addressOf) => {
  it('shuts an attacker out after the fifth 404, serves everyone else, and lets the attacker in again', async () => {
    const url = hostUrl();
    await using product: Product = await startProduct(lab, network);
    await using attacker = await lab.client('198.51.100.66');
    await using honest = await lab.client('203.0.113.7');
    const ip = addressOf(attacker);

    await using open = await attacker.open(`${url}/`, { host: 'app.example.com' });
    expect(await open.get('/')).toBe(200);
    const served = honest.series(`${url}/`, { count: 400, intervalMs: 20, timeoutMs: 2000 });

    expect(await provoke(attacker, url)).toEqual([404, 404, 404, 404, 404, 'timeout']);
    expect(await open.get('/', { timeoutMs: 1500 }), 'the open connection goes nowhere').toBe('timeout');
    expect(await attacker.get(`${url}:443/`), 'port 443 is closed too').toBe('timeout');

    const ban = await product.sees('ban', { jail: 'nginx-proxy', ip });
    expect(ban).toMatchObject({ failures: 5, bantime: 600, msg: `[nginx-proxy] Ban ${ip}` });
    const status = await product.cli('status', 'nginx-proxy');
    expect(status.stdout).toBe(
      [
        'Status for the jail: nginx-proxy',
        '|- Filter',
        '|  |- Currently failed:\t0',
        '|  |- Total failed:\t5',
        '|  `- File list:\t/var/log/syslog',
        '`- Actions',
        '   |- Currently banned:\t1',
        '   |- Total banned:\t1',
        `   \`- Banned IP list:\t${ip}`,
      ].join('\n'),
    );

    const outcomes = (await served).map(({ outcome }) => outcome);
    expect(outcomes, 'the honest client is served all the while').toEqual(Array(400).fill(200));

    expect(await product.cli('unban', 'nginx-proxy', ip)).toMatchObject({ exitCode: 0, stdout: '1' });
    expect(await attacker.get(`${url}/`)).toBe(200);
    await product.sees('unban', { ip, reason: 'by hand' });
  });

  it('ends a ban in the kernel on time even if dock2ban is dead', async () => {
    const url = hostUrl();
    await using product: Product = await startProduct(lab, labels({ 'fail2ban.bantime': 6 }) + network);
    await using attacker = await lab.client('198.51.100.67');
    expect((await provoke(attacker, url)).at(-1)).toBe('timeout');
    const { until } = await product.sees('ban', { ip: addressOf(attacker) });
    await product.compose('kill', '--signal', 'SIGKILL', 'dock2ban');
    await product.compose('rm', '--force', 'dock2ban');
    expect(Date.now()).toBeLessThan(Date.parse(until as string));
    expect(await attacker.get(`${url}/`, { timeoutMs: 500 }), 'the ban outlives dock2ban').toBe('timeout');
    await lab.host.until(
      'the kernel lets the attacker in',
      async () => (await attacker.get(`${url}/`, { timeoutMs: 300 })) === 200,
      8000,
    );
    expect(Math.abs(Date.now() - Date.parse(until as string))).toBeLessThan(2500);
  });
});
