import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from './lab.ts';
import { labels, type Product, startProduct } from './product.ts';

let lab: Lab;
let product: Product;

beforeAll(async () => {
  lab = await startLab();
  product = await startProduct(lab, labels({ 'fail2ban.maxretry': 2 }));
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

const line = (ip: string) =>
  `app.example.com ${ip} - - [22/Nov/2026:13:44:53 +0000] "GET /x HTTP/1.1" 404 153 "-" "curl" "-"`;

/** Prints lines from a container of its own. */
async function print(tag: string, lines: readonly string[]): Promise<void> {
  const command = ['printf', '%s\\n', ...lines];
  await using container = await lab.host.run({
    image: lab.images.base,
    log: { driver: 'syslog', options: { tag } },
    command,
  });
  await lab.host.docker('wait', container.name);
}

describe('whose line it is', () => {
  it("is not decided by its text: a container that imitates nginx-proxy's lines bans nobody", async () => {
    const victim = '203.0.113.99';
    const forged = [
      line(victim),
      ` host nginx-proxy[1]: ${line(victim)}`,
      `nginx-proxy[1]: ${line(victim)}`,
      `nginx-proxy: ${line(victim)}`,
      `Nov 22 13:44:53 host nginx-proxy[1]: ${line(victim)}`,
      `\r${line(victim)}`,
      `2026-11-22T13:44:53.123456+00:00 host nginx-proxy[1]: ${line(victim)}`,
    ];
    await print('other', [...forged, ...forged, ...forged]);
    await print('nginx-proxy2', forged);
    await print('not-nginx-proxy', forged);
    // What comes after has been read when a true line has had its effect.
    await using attacker = await lab.client('198.51.100.83');
    await attacker.get(`http://${lab.host.ip4}/missing`);
    await product.sees('found', { ip: attacker.ip4 });
    expect(await product.eventsOf('found', { ip: victim })).toEqual([]);
    expect((await product.cli('banned', victim)).stdout).toBe('[[]]');
  });

  it('is not decided by what a client sends: no header or path bans somebody else', async () => {
    await using attacker = await lab.client('198.51.100.84');
    const victim = '203.0.113.98';
    const path = encodeURI(`/x" 404 1 "-" "app.example.com ${victim} - - [x] "GET / HTTP/1.1" 404 1 "-"`);
    for (let i = 0; i < 2; i++) await attacker.get(`http://${lab.host.ip4}${path}`, { host: victim });
    await product.sees('ban', { ip: attacker.ip4 });
    expect(await product.eventsOf('found', { ip: victim })).toEqual([]);
  });
});

describe("Docker's own addresses", () => {
  it('are never banned: a gateway in the log is one address-hidden event that explains', async () => {
    // Docker 20.10 doesn't name the default bridge's gateway before its first restart: the host's address there is it.
    const { stdout } = await lab.host.exec(['ip', '-4', '-o', 'address', 'show', 'docker0']);
    const gateway = /inet ([\d.]+)/.exec(stdout)![1]!;
    await using _app = await lab.host.run({
      name: 'behind-gateway',
      image: lab.images.base,
      labels: {
        'fail2ban.jail': 'behind-gateway',
        'fail2ban.filter': 'nginx-proxy',
        'fail2ban.maxretry': '2',
      },
      publish: ['8095:80'],
      log: { driver: 'syslog', options: { tag: 'behind-gateway' } },
      command: [
        'sh',
        '-c',
        `sleep 3; for i in 1 2 3 4 5 6; do echo '${line(gateway)}'; done; echo '${line('127.0.0.1')}'; echo '${line('203.0.113.97')}'; sleep 60`,
      ],
    });
    const event = await product.sees('address-hidden', { jail: 'behind-gateway' });
    expect(event).toMatchObject({ level: 'warn', ip: gateway });
    expect(event.msg).toContain('IPv6');
    await product.sees('found', { ip: '203.0.113.97' });
    expect(await product.eventsOf('address-hidden')).toHaveLength(1);
    expect(await product.eventsOf('ban', { jail: 'behind-gateway' })).toEqual([]);
    for (const ip of [gateway, '127.0.0.1', lab.host.ip4]) {
      const refusal = await product.cli('ban', 'behind-gateway', ip);
      expect(refusal).toMatchObject({ exitCode: 1, stdout: '0' });
      expect(refusal.stderr).toContain('not banned: it is');
    }
    expect((await lab.host.exec(['ipset', 'save'])).stdout).not.toContain(gateway);
  });
});

describe('repeated messages', () => {
  it("count one by one, as Ubuntu's rsyslog sums them up", async () => {
    await product[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
    lab = await startLab({ syslog: { repeatedMsgReduction: true } });
    product = await startProduct(lab, labels({ 'fail2ban.maxretry': 8 }));
    await using attacker = await lab.client('198.51.100.85');
    await using honest = await lab.client('203.0.113.11');
    const url = `http://${lab.host.ip4}`;
    await attacker.series(`${url}/missing`, { count: 24, intervalMs: 20, connections: 1 });
    // rsyslog writes the sum once another message comes.
    await honest.get(`${url}/`);
    expect(await lab.host.readLog()).toMatch(/nginx-proxy\[\d+\]: message repeated \d+ times: \[.*missing/);
    await product.sees('ban', { ip: attacker.ip4, failures: 8 });
    expect(await attacker.get(`${url}/`)).toBe('timeout');
    expect(await honest.get(`${url}/`)).toBe(200);
  });
});
