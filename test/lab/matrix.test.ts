import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firewallChoices } from '../../src/daemon/options.ts';
import { engineVersions } from './engine-version.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';
import { ResultTable } from './result-table.ts';

const backends = firewallChoices.filter((choice) => choice !== 'auto' && choice !== 'none');
const hosts = engineVersions.flatMap((engine) => backends.map((backend) => ({ engine, backend })));

const families = [
  {
    family: 'IPv4',
    hostUrl: ({ host }: Lab) => `http://${host.ip4}`,
    offender: ['198.51.100.66'],
  },
  {
    family: 'IPv6',
    hostUrl: ({ host }: Lab) => `http://[${host.ip6}]`,
    // One party has the /64.
    offender: ['2001:db8:198::/64', '2001:db8:198::66'],
  },
] as const;

const changes = (backend: string): string => `
services:
  dock2ban:
    environment: { DOCK2BAN_FIREWALL: ${backend} }
networks:
  default:
    enable_ipv6: true
    ipam:
      config: [{ subnet: 172.30.0.0/24 }, { subnet: 'fd00:d2b:2::/64' }]
`;

/** What `status nginx-proxy` prints while one address is banned, but for the totals. */
const statusTree = (ip: string): string =>
  [
    'Status for the jail: nginx-proxy',
    '|- Filter',
    '|  |- Currently failed:\t0',
    '|  |- Total failed:\tN',
    '|  `- File list:\t/var/log/syslog',
    '`- Actions',
    '   |- Currently banned:\t1',
    '   |- Total banned:\tN',
    `   \`- Banned IP list:\t${ip}`,
    'Bans are checked against connections: on',
  ].join('\n');

/** A jail of its own, whose bans end soon. */
const brief = {
  name: 'brief',
  publish: ['8080:80'],
  labels: {
    'fail2ban.jail': 'brief',
    'fail2ban.filter': 'nginx-proxy',
    'fail2ban.maxretry': '2',
    'fail2ban.bantime': '10',
  },
  log: { driver: 'syslog', options: { tag: 'brief' } },
} as const;

const [scenario, end] = ['shut out, others served, unbanned', 'ends while dock2ban is dead'] as const;
const table = new ResultTable(['engine', 'firewall', 'over'], [scenario, end]);

afterAll(() => {
  process.stdout.write(`\n${table.toString()}\n`);
});

// Each on a host of its own, where nothing of another firewall can have stayed behind.
describe.each(hosts)('Docker $engine, --firewall $backend', ({ engine, backend }) => {
  let lab: Lab;
  let product: Product;
  let version: string;

  beforeAll(async () => {
    lab = await startLab({ engine });
    version = await lab.host.docker('version', '--format', '{{.Server.Version}}');
    product = await startProduct(lab, changes(backend));
    await lab.host.run(brief);
  });

  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  it('is the engine and the firewall that were asked for', async () => {
    expect(version).toMatch(new RegExp(`^${engine.replace('.', String.raw`\.`)}\\.`));
    expect(await product.sees('ready')).toMatchObject({ firewall: { backend } });
  });

  it.each(families)(
    '$family: shuts an attacker out after the fifth 404, serves everyone else, and lets the attacker in again',
    async ({ family, hostUrl, offender }) =>
      table.record([version, backend, family], scenario, async () => {
        const url = hostUrl(lab);
        await using attacker = await lab.client('198.51.100.66');
        await using honest = await lab.client('203.0.113.7');
        await using open = await attacker.open(`${url}/`, { host: 'app.example.com' });
        expect(await open.get('/')).toBe(200);
        const served = honest.series(`${url}/`, { count: 150, intervalMs: 20, timeoutMs: 5000 });

        const ban = await shutOut(product, attacker, url, { jail: 'nginx-proxy', failures: 5 });
        const ip = ban.ip!;
        expect(offender).toContain(ip);
        expect(await open.get('/', { timeoutMs: 1000 }), 'the open connection goes nowhere').toBe('timeout');
        expect(await attacker.get(`${url}:443/`), 'port 443 is closed too').toBe('timeout');

        expect(ban).toMatchObject({ failures: 5, bantime: 600, msg: `[nginx-proxy] Ban ${ip}` });
        const { stdout } = await product.cli('status', 'nginx-proxy');
        expect(stdout.replaceAll(/(?<=Total \w+:\t)\d+/g, 'N')).toBe(statusTree(ip));

        const outcomes = (await served).map(({ outcome }) => outcome);
        expect(outcomes, 'the honest client is served all the while').toEqual(Array(150).fill(200));

        expect(await product.cli('unban', 'nginx-proxy', ip)).toMatchObject({ exitCode: 0, stdout: '1' });
        expect(await attacker.get(`${url}/`)).toBe(200);
        await product.sees('unban', { ip, reason: 'by hand' });
      }),
  );

  it('bans end in the kernel on time even if dock2ban is dead', async () => {
    await using attacker = await lab.client('198.51.100.67');
    const bans = [];
    for (const { family, hostUrl } of families) {
      const url = `${hostUrl(lab)}:8080`;
      const { until } = await shutOut(product, attacker, url, { jail: 'brief', failures: 2 });
      bans.push({ family, url, until: Date.parse(until as string) });
    }
    await product.compose('kill', '--signal', 'SIGKILL', 'dock2ban');
    await Promise.all(
      bans.map(async ({ family, url, until }) =>
        table.record([version, backend, family], end, async () => {
          expect(await attacker.get(`${url}/`, { timeoutMs: 400 }), 'it outlives dock2ban').toBe('timeout');
          await lab.host.until(
            `the kernel lets ${family} in`,
            async () => (await attacker.get(`${url}/`, { timeoutMs: 300 })) === 200,
            20_000,
          );
          // ipset counts in seconds.
          expect(Date.now()).toBeGreaterThan(until - 1500);
        }),
      ),
    );
  });
});
