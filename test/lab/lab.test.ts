import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from './lab.ts';

const syslog = { driver: 'syslog', options: { tag: 'nginx-proxy' } };

describe('the lab', () => {
  let lab: Lab;
  let urls: readonly [string, string];

  beforeAll(async () => {
    lab = await startLab({ product: false });
    urls = [`http://${lab.host.ip4}:8080/`, `http://[${lab.host.ip6}]:8080/`];
    await lab.host.run({ name: 'web', publish: ['8080:80'], log: syslog });
  });

  afterAll(async () => lab[Symbol.asyncDispose]());

  it('serves clients over IPv4 and IPv6 and logs their real addresses through syslog', async () => {
    await using client = await lab.client('198.51.100.1');
    for (const url of urls) {
      expect(await client.get(url)).toBe(200);
      expect(await client.get(`${url}missing`, { host: 'app.example.com' })).toBe(404);
    }
    for (const ip of [client.ip4, client.ip6]) {
      const line = new RegExp(
        `^\\w{3} [ \\d]\\d [\\d:]{8} dockerhost nginx-proxy\\[\\d+\\]: app\\.example\\.com ${ip} - - .* "GET /missing HTTP/1\\.1" 404 `,
        'm',
      );
      await lab.host.until(`a line of ${ip}`, async () => line.test(await lab.host.readLog()));
    }
  });

  it('writes the syslog file as Ubuntu does: not owned by root, for group adm to read', async () => {
    const file = await stat(lab.host.path('/var/log/syslog'));
    expect([file.uid, file.gid, (file.mode & 0o777).toString(8)]).toEqual([104, 4, '640']);
  });

  it('cuts off one client by DOCKER-USER, its open connection too, while another is served', async () => {
    await using attacker = await lab.client('198.51.100.2');
    await using honest = await lab.client('203.0.113.2');
    await using open = await attacker.open(urls[0]);
    expect(await open.get('/')).toBe(200);
    const rule = ['DOCKER-USER', '-s', attacker.ip4, '-j', 'DROP'];
    await lab.host.exec(['iptables', '-I', ...rule]);
    try {
      expect(await open.get('/', { timeoutMs: 500 })).toBe('timeout');
      expect(await attacker.get(urls[0], { timeoutMs: 500 })).toBe('timeout');
      expect(await honest.get(urls[0])).toBe(200);
    } finally {
      await lab.host.exec(['iptables', '-D', ...rule]);
    }
    expect(await attacker.get(urls[0])).toBe(200);
  });

  it('tells a closed port, and an address that is nowhere, from a dropped packet', async () => {
    await using client = await lab.client('198.51.100.3');
    expect(await client.get(`http://${lab.host.ip4}:9999/`)).toBe('refused');
    expect(await client.get('http://192.0.2.77/')).toBe('unreachable');
  });

  it('sends requests at a steady rate, and a flood over many connections', async () => {
    await using client = await lab.client('198.51.100.4');
    const steady = await client.series(urls[0], { count: 50, intervalMs: 10 });
    expect(steady.map((record) => record.outcome)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(steady.at(-1)!.sentAt - steady[0]!.sentAt).toBeGreaterThanOrEqual(480);
    const flood = await client.series(urls[0], { count: 6000, intervalMs: 0.4, connections: 32 });
    const seconds = (flood.at(-1)!.endedAt - flood[0]!.sentAt) / 1000;
    expect(flood.filter((record) => record.outcome === 200)).toHaveLength(6000);
    expect(6000 / seconds).toBeGreaterThan(2000);
  });

  it('gives the addresses of a client that has gone to another', async () => {
    for (let turn = 0; turn < 3; turn++) {
      await using client = await lab.client('198.51.100.5');
      expect(await client.get(urls[0])).toBe(200);
    }
  });

  it("keeps the host's namespaces apart from the machine's", async () => {
    const inside = await lab.host.exec(['readlink', '/proc/self/ns/net', '/proc/self/ns/mnt']);
    const machine = await stat('/proc/self/ns/net');
    expect(inside.stdout).not.toContain(String(machine.ino));
    const log = await stat(lab.host.path('/dev/log'));
    const machineLog = await stat('/dev/log').catch(() => undefined);
    expect(machineLog?.ino).not.toBe(log.ino);
    const routes = await lab.host.exec(['ip', 'route', 'show', 'default']);
    expect(routes.stdout).toBe('');
  });

  it('crashes a container, and restarts the engine', async () => {
    const restarted = await lab.host.run({
      name: 'phoenix',
      publish: ['8081:80'],
      // 20.10 counts `unless-stopped` containers as stopped by hand when it finds them after a crash.
      arguments: ['--restart', 'always'],
    });
    const pid = await restarted.pid();
    await restarted.crash();
    await lab.host.until('a new process', async () => {
      const now = await restarted.pid();
      return now > 0 && now !== pid;
    });
    await using client = await lab.client('198.51.100.6');
    const url = `http://${lab.host.ip4}:8081/`;
    const serves = async (): Promise<boolean> => (await client.get(url)) === 200;
    await lab.host.until('it serves again', serves);
    // The engine may not be killed between the start of the process and its record of that.
    await restarted.exec('true');
    await lab.host.restartEngine('SIGKILL');
    await lab.host.until('it serves once more', serves, 20_000).catch(async () => {
      // 20.10 may give it the address of `web`, which ended in the crash, and nothing answers there.
      await lab.host.docker('restart', 'phoenix');
      await lab.host.until('it serves after a restart', serves, 20_000);
    });
    expect(await lab.host.docker('ps', '--quiet')).toMatch(/^[0-9a-f]{12}$/);
    await lab.host.docker('rm', '--force', 'web');
    await lab.host.run({ name: 'web', publish: ['8080:80'], log: syslog });
  });

  it('has docker compose version 2', async () => {
    expect(await lab.host.compose(['version', '--short'], { cwd: '/' })).toMatch(/^2\./);
  });
});

describe('the lab with docker-proxy for IPv6, ISO times and iptables-legacy', () => {
  it('shows the gateway as client over IPv6', async () => {
    await using lab = await startLab({
      product: false,
      ipv6: false,
      iptables: 'legacy',
      syslog: { format: 'iso' },
    });
    await lab.host.run({ publish: ['8080:80'], log: syslog });
    await using client = await lab.client('198.51.100.1');
    expect(await client.get(`http://[${lab.host.ip6}]:8080/six`)).toBe(404);
    expect(await client.get(`http://${lab.host.ip4}:8080/four`)).toBe(404);
    const time = String.raw`^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}\+\d\d:\d\d dockerhost nginx-proxy\[\d+\]: `;
    const six = new RegExp(String.raw`${time}\S+ 172\.17\.0\.1 - - .* "GET /six `, 'm');
    const four = new RegExp(String.raw`${time}\S+ 198\.51\.100\.1 - - .* "GET /four `, 'm');
    await lab.host.until('both lines', async () => {
      const log = await lab.host.readLog();
      return six.test(log) && four.test(log);
    });
    const rules = await lab.host.exec(['/usr/sbin/iptables-legacy', '-S', 'FORWARD']);
    expect(rules.stdout).toContain('-A FORWARD -j DOCKER-USER');
  });
});
