import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabHost } from './host.ts';
import { type Lab, startLab } from './lab.ts';
import { labels, type Product, provoke, startProduct } from './product.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab();
});

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
});

/** What ufw-docker puts into DOCKER-USER: private sources return first, then everything else is judged by ufw. */
const ufwDocker = [
  ['-A', 'DOCKER-USER', '-s', '10.0.0.0/8', '-j', 'RETURN'],
  ['-A', 'DOCKER-USER', '-s', '172.16.0.0/12', '-j', 'RETURN'],
  ['-A', 'DOCKER-USER', '-s', '192.168.0.0/16', '-j', 'RETURN'],
  // The lab's addresses stand for private ones: they would return before an appended rule, too.
  ['-A', 'DOCKER-USER', '-s', '198.51.100.0/24', '-j', 'RETURN'],
  ['-A', 'DOCKER-USER', '-p', 'udp', '-m', 'udp', '--sport', '53', '--dport', '1024:65535', '-j', 'RETURN'],
  ['-A', 'DOCKER-USER', '-j', 'RETURN'],
];

/** Removes what an earlier dock2ban left. */
async function cleanUp(host: LabHost, tool: string): Promise<void> {
  for (const chain of ['DOCKER-USER', 'FORWARD', 'INPUT']) {
    await host.exec([tool, '-D', chain, '-j', 'DOCK2BAN'], { reject: false });
  }
  await host.exec([tool, '-F', 'DOCK2BAN'], { reject: false });
  await host.exec([tool, '-X', 'DOCK2BAN'], { reject: false });
}

describe("beside other people's rules", () => {
  it("holds with ufw-docker's block in DOCKER-USER, and leaves it as it is", async () => {
    await lab.host.exec(['iptables', '-F', 'DOCKER-USER']);
    for (const rule of ufwDocker) await lab.host.exec(['iptables', ...rule]);
    const before = (await lab.host.exec(['iptables', '-S', 'DOCKER-USER'])).stdout;
    await using product: Product = await startProduct(lab);
    await using attacker = await lab.client('198.51.100.72');
    expect(await provoke(attacker, `http://${lab.host.ip4}`)).toEqual([404, 404, 404, 404, 404, 'timeout']);
    const rules = (await lab.host.exec(['iptables', '-S', 'DOCKER-USER'])).stdout;
    expect(rules.replace('-A DOCKER-USER -j DOCK2BAN\n', '')).toBe(before);
    expect(rules.split('\n')[1]).toBe('-A DOCKER-USER -j DOCK2BAN');
    await product.cli('unban', '--all');
  });

  it('says one warning about a label typo, and everything else works', async () => {
    await using product: Product = await startProduct(lab);
    await using _typo = await lab.host.run({
      name: 'typo',
      publish: ['8080:80'],
      labels: { 'fail2ban.jail': 'typo', 'fail2ban.filter': 'nginx-proxy', 'fail2ban.maxrety': '3' },
      log: { driver: 'syslog', options: { tag: 'typo' } },
    });
    const problem = await product.sees('config-error');
    expect(problem.level).toBe('warn');
    expect(problem.msg).toContain('typo');
    expect(problem.msg).toContain('fail2ban.maxrety=3');
    expect(problem.msg).toContain('maxretry');
    await using attacker = await lab.client('198.51.100.74');
    expect(await provoke(attacker, `http://${lab.host.ip4}`)).toEqual([404, 404, 404, 404, 404, 'timeout']);
    expect(await attacker.get(`http://${lab.host.ip4}:8080/missing`), 'the jail with the typo is off').toBe(
      404,
    );
    expect(
      (await product.events()).filter(({ level }) => level === 'warn' || level === 'error'),
    ).toHaveLength(1);
    expect((await product.cli('status')).stdout).toBe(
      'Status\n|- Number of jail:\t1\n`- Jail list:\tnginx-proxy',
    );
  });

  it('stops without a trace with --on-stop flush, and within 2 seconds', async () => {
    await using product: Product = await startProduct(lab);
    await product.compose('rm', '--stop', '--force', 'dock2ban');
    for (const tool of ['iptables', 'ip6tables']) await cleanUp(lab.host, tool);
    const state = async (): Promise<string> =>
      (
        await Promise.all(
          [['iptables-save'], ['ip6tables-save'], ['ipset', 'list', '-n']].map((argv) => lab.host.exec(argv)),
        )
      )
        .map(({ stdout }) => stdout.replaceAll(/^#.*$|\[\d+:\d+\]/gm, ''))
        .join('\n');
    await lab.host.exec(['ipset', 'destroy']);
    const before = await state();

    await using flushing: Product = await startProduct(
      lab,
      'services:\n  dock2ban:\n    environment: { DOCK2BAN_ON_STOP: flush }\n',
    );
    await using attacker = await lab.client('198.51.100.75');
    expect((await provoke(attacker, `http://${lab.host.ip4}`)).at(-1)).toBe('timeout');
    expect(await state()).not.toBe(before);
    const asked = Date.now();
    await lab.host.docker('stop', '--time', '10', 'dock2ban');
    expect(Date.now() - asked).toBeLessThan(3000);
    expect(await lab.host.container('dock2ban').inspect('{{.State.ExitCode}}')).toBe('0');
    expect(await state()).toBe(before);
    expect(await attacker.get(`http://${lab.host.ip4}/`)).toBe(200);
    await flushing.compose('up', '--detach', 'dock2ban');
  });
});

describe('labels by hand', () => {
  it("takes a fail2ban user's own failregex as it stands", async () => {
    await using product: Product = await startProduct(
      lab,
      labels({
        'fail2ban.failregex': String.raw`^.*nginx-proxy.*\.example\.com\s<HOST>\s-\s-\s.*HTTP/.*" 404`,
        'fail2ban.maxretry': 2,
      }),
    );
    await using attacker = await lab.client('198.51.100.76');
    expect(await provoke(attacker, `http://${lab.host.ip4}`)).toEqual([404, 404, 'timeout']);
    await product.sees('ban', { ip: attacker.ip4, failures: 2 });
  });
});
