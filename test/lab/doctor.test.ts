import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';

const withIPv6 = `
networks:
  default:
    enable_ipv6: true
    ipam:
      config: [{ subnet: 172.30.0.0/24 }, { subnet: 'fd00:d2b:2::/64' }]
`;

interface Diagnosis {
  readonly exitCode: number | undefined;
  readonly findings: readonly Finding[];
}

async function doctor(product: Product, ...more: string[]): Promise<Diagnosis> {
  const { exitCode, stdout } = await product.cli('doctor', '--json', ...more);
  return { exitCode, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
}

const inTheWay = ({ findings }: Diagnosis): string[] =>
  findings
    .filter(({ severity }) => severity === 'error' || severity === 'warning')
    .map(({ severity, what }) => `${severity}: ${what}`);
const severitiesOf = ({ findings }: Diagnosis, text: RegExp): string[] =>
  findings.filter(({ what }) => text.test(what)).map(({ severity }) => severity);

describe.each([
  { engine: '20.10', backend: 'docker-user' },
  { engine: '28.5', backend: 'docker-user' },
  { engine: '28.5', backend: 'nftables' },
] as const)('doctor: Docker $engine, $backend', ({ engine, backend }) => {
  let lab: Lab;
  let product: Product;
  const environment = `services:\n  dock2ban:\n    environment: { DOCK2BAN_FIREWALL: ${backend} }\n`;

  const kernel = async (): Promise<string> => {
    const commands = [
      ['iptables-save'],
      ['ip6tables-save'],
      ['ipset', 'list', '-n'],
      ['nft', '-s', 'list', 'tables'],
    ];
    const texts = await Promise.all(commands.map((argv) => lab.host.exec(argv)));
    return texts.map(({ stdout }) => stdout.replaceAll(/^#.*$|\[\d+:\d+\]/gm, '')).join('\n');
  };

  beforeAll(async () => {
    lab = await startLab({ engine });
  });
  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  it('finds nothing in the way, and proves that a ban shuts out and that packets cross the rules', async () => {
    product = await startProduct(lab, environment + withIPv6);
    await using attacker = await lab.client('198.51.100.66');
    await using honest = await lab.client('203.0.113.7');
    await shutOut(product, attacker, `http://${lab.host.ip4}`, { jail: 'nginx-proxy', failures: 5 });
    const served = honest.series(`http://${lab.host.ip4}/`, { count: 60, intervalMs: 100 });
    const served6 = honest.series(`http://[${lab.host.ip6}]/`, { count: 60, intervalMs: 100 });
    const before = await kernel();
    const repairs = (await product.eventsOf('firewall-repaired')).length;
    const found = await doctor(product);
    expect(inTheWay(found)).toEqual([]);
    expect(found.exitCode).toBe(0);
    expect(severitiesOf(found, /from a test address that was banned in jail nginx-proxy/)).toEqual(['ok']);
    expect(severitiesOf(found, /IPv[46] to the host: a test packet over loopback crossed/)).toEqual([
      'ok',
      'ok',
    ]);
    expect(severitiesOf(found, /IPv[46] to containers: \d+ packets? crossed/)).toEqual(['ok', 'ok']);
    expect(await kernel(), 'nothing is left behind').toBe(before);
    expect((await product.eventsOf('firewall-repaired')).length - repairs).toBeLessThanOrEqual(1);
    for (const { outcome } of [...(await served), ...(await served6)]) expect(outcome).toBe(200);
    expect(await attacker.get(`http://${lab.host.ip4}/`), 'the attacker is shut out still').toBe('timeout');
  });

  // A rule of iptables can't let a packet past a table of our own.
  it.each(backend === 'nftables' ? [] : ['ACCEPT'])(
    'tells of an accept before DOCKER-USER, and its remedy helps',
    async () => {
      await lab.host.exec(['iptables', '-I', 'FORWARD', '1', '-s', '198.51.100.0/24', '-j', 'ACCEPT']);
      const found = await doctor(product);
      expect(found.exitCode).toBe(1);
      const accepted = found.findings.find(
        ({ topic, severity }) => topic === 'foreign rules' && severity === 'warning',
      );
      expect(accepted?.what).toContain('-s 198.51.100.0/24 -j ACCEPT');
      await lab.host.exec(accepted!.remedy!.split(': ')[1]!.split(' '));
      expect(inTheWay(await doctor(product))).toEqual([]);
      for (const rule of [
        ['-j', 'DOCKER-USER'],
        ['-s', '198.51.100.0/24', '-j', 'ACCEPT'],
      ]) {
        await lab.host.exec(['iptables', '-D', 'FORWARD', ...rule]);
      }
    },
  );

  it('uninstall-rules refuses beside the controller, and afterwards leaves no trace', async () => {
    expect((await product.cli('uninstall-rules')).exitCode).toBe(1);
    // In a container of its own it doesn't see the controller's socket.
    await expect(product.compose('run', '--rm', 'dock2ban', 'uninstall-rules')).rejects.toThrow(
      'a controller runs on this host',
    );
    await product.compose('stop', 'dock2ban');
    const run = await product.compose('run', '--rm', 'dock2ban', 'uninstall-rules');
    expect(run).toContain('removed: ');
    expect(await kernel()).not.toMatch(/dock2ban/i);
    await product[Symbol.asyncDispose]();
  });

  it('tells of what the default compose file leaves open, and of missing privileges', async () => {
    product = await startProduct(
      lab,
      `${environment}    cap_add: !override [NET_ADMIN]\n    volumes: !override ['docker-socket:/run/dock2ban-docker:ro']\n`,
    );
    const found = await doctor(product, '--wait', '0');
    expect(found.exitCode).toBe(1);
    expect(inTheWay(found)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^error: missing capability: NET_RAW/),
        expect.stringMatching(/^error: \/var\/log\/syslog can't be read .* nginx-proxy/),
        expect.stringMatching(/^warning: published on IPv6, but on no network with IPv6: .*nginx-proxy/),
        expect.stringMatching(/^warning: \/var\/lib\/dock2ban can't be written/),
      ]),
    );
    await product[Symbol.asyncDispose]();
  });
});
