import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

/** Asks, as whoever controls dock2ban's container could, for the status of the answer. */
async function statusOf(method: string, path: string): Promise<string> {
  const program = `require('node:http').request({ socketPath: '/run/dock2ban-docker/docker.sock', method: '${method}', path: '${path}' },
    (answer) => { console.log(answer.statusCode); answer.destroy(); }).end()`;
  return lab.host.container('dock2ban').exec('node', '-e', program);
}

describe('compose.example.yml as it ships', () => {
  it("bans by Docker's own copy of a log, also after the engine has restarted", async () => {
    const start = async (name: string, port: number) =>
      lab.host.run({
        name,
        publish: [`${port}:80`],
        labels: { 'fail2ban.jail': name, 'fail2ban.filter': 'nginx-proxy', 'fail2ban.maxretry': '3' },
        log: { driver: 'json-file' },
      });
    await using _before = await start('before', 8080);
    await product.sees('jail-started', { jail: 'before' });
    await using attacker = await lab.client('198.51.100.90');
    await shutOut(product, attacker, `http://${lab.host.ip4}:8080`, { jail: 'before', failures: 3 });
    await lab.host.restartEngine('SIGTERM');
    await lab.host.until('the containers are back', async () => {
      const { exitCode } = await product.cli('status');
      return exitCode === 0;
    });
    await using _after = await start('after', 8081);
    await product.sees('jail-started', { jail: 'after' }, 30_000);
    await using another = await lab.client('198.51.100.91');
    const ban = await shutOut(product, another, `http://${lab.host.ip4}:8081`, {
      jail: 'after',
      failures: 3,
    });
    expect(ban.ip).toBe(another.ip4);
  });

  it('leaves dock2ban no way to Docker but reading what it needs', async () => {
    expect(await statusOf('GET', '/v1.41/containers/json')).toBe('200');
    expect(await statusOf('POST', '/v1.41/containers/create')).toBe('403');
    expect(await statusOf('GET', '/v1.41/containers/dock2ban/archive?path=/')).toBe('403');
    expect(await statusOf('GET', '/v1.41/secrets')).toBe('403');
    const { Mounts } = JSON.parse(await lab.host.container('dock2ban').inspect('{{json .}}')) as {
      Mounts: { Source: string }[];
    };
    expect(Mounts.filter(({ Source }) => /docker\.sock$|^\/run$|^\/var\/run$/.test(Source))).toEqual([]);
    expect(await lab.host.docker('logs', 'dock2ban-docker-socket')).toContain(
      'refused: "POST /v1.41/containers/create"',
    );
  });

  it('gives the proxy no capability and no network', async () => {
    const container = lab.host.container('dock2ban-docker-socket');
    const pid = await container.pidUnderInit();
    const status = await readFile(lab.host.path(`/proc/${pid}/status`), 'utf8');
    for (const set of ['CapEff', 'CapPrm', 'CapBnd'])
      expect(status).toMatch(new RegExp(`^${set}:\\s*0+$`, 'm'));
    expect(status).toMatch(/^NoNewPrivs:\s*1$/m);
    expect(await container.inspect('{{.HostConfig.NetworkMode}} {{.HostConfig.ReadonlyRootfs}}')).toBe(
      'none true',
    );
  });

  it('limits both containers, far from what a flood takes', async () => {
    await using client = await lab.client('203.0.113.90');
    const flood = client.series(`http://${lab.host.ip4}/`, {
      count: 40_000,
      intervalMs: 0.25,
      connections: 32,
    });
    const highest = { memory: 0, pids: 0 };
    const sample = async (): Promise<void> => {
      const format = ['--no-stream', '--format', '{{.MemPerc}} {{.PIDs}}'];
      const stats = await lab.host.docker('stats', ...format, 'dock2ban', 'dock2ban-docker-socket');
      for (const line of stats.split('\n')) {
        const [memory = NaN, pids = NaN] = line.split(' ').map((text) => Number.parseFloat(text));
        highest.memory = Math.max(highest.memory, memory);
        highest.pids = Math.max(highest.pids, pids);
      }
    };
    const over = flood.then(() => 'over');
    while ((await Promise.race([over, sample()])) !== 'over');
    expect(highest.memory).toBeGreaterThan(0);
    expect(highest.memory).toBeLessThan(40);
    expect(highest.pids).toBeLessThan(32);
    for (const [name, limits] of [
      ['dock2ban', '1073741824 256 [16384 16384]'],
      ['dock2ban-docker-socket', '268435456 64 [16384 16384]'],
    ] as const) {
      const host = '.HostConfig';
      const template = `{{${host}.Memory}} {{${host}.PidsLimit}} {{range ${host}.Ulimits}}[{{.Soft}} {{.Hard}}]{{end}}`;
      expect(await lab.host.container(name).inspect(template)).toBe(limits);
      expect(await lab.host.container(name).inspect('{{.State.OOMKilled}} {{.RestartCount}}')).toBe(
        'false 0',
      );
    }
  });
});
