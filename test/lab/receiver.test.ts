import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { journalVolume, startJournald } from './journald.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';

let lab: Lab;
let product: Product;

beforeAll(async () => {
  lab = await startLab();
});

afterEach(async () => {
  await product?.[Symbol.asyncDispose]();
});

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
});

const listen = 'udp://127.0.0.1:5514,tcp://127.0.0.1:5514,unix:///run/dock2ban-syslog/syslog.sock';

/** The example, with dock2ban listening, and nginx-proxy logging as given. It starts after dock2ban: so its log has a taker. */
function changes(
  driver: string,
  options: Readonly<Record<string, string>>,
  volumes: readonly string[] = [],
): string {
  const logging = { driver, options: null };
  const lines = Object.entries(options).map(([name, value]) => `        ${name}: '${value}'`);
  return `services:
  dock2ban:
    environment: { DOCK2BAN_SYSLOG_LISTEN: '${listen}' }
    healthcheck: { interval: 1s }
    volumes:
      - /run/dock2ban-syslog:/run/dock2ban-syslog
${volumes.map((volume) => `      - ${volume}`).join('\n')}
  nginx-proxy:
    depends_on: { dock2ban: { condition: service_healthy } }
    logging: !override
      driver: ${logging.driver}
      options:
${lines.join('\n')}
    labels: { fail2ban.jail: nginx-proxy }
`;
}

async function attackIsShutOut(ip: string, port = 80): Promise<void> {
  await using attacker = await lab.client(ip);
  await using honest = await lab.client('203.0.113.7');
  const url = `http://${lab.host.ip4}:${port}`;
  const ban = await shutOut(product, attacker, url, { jail: 'nginx-proxy', failures: 5 });
  expect(ban).toMatchObject({ ip, failures: 5 });
  expect(await honest.get(`${url}/`)).toBe(200);
  expect((await product.cli('unban', ip)).exitCode).toBe(0);
  expect(await attacker.get(`${url}/`)).toBe(200);
}

describe.each([
  ['UDP', 'udp://127.0.0.1:5514', {}],
  ['TCP, RFC 5424', 'tcp://127.0.0.1:5514', { 'syslog-format': 'rfc5424micro' }],
  ['TCP, RFC 3164', 'tcp://127.0.0.1:5514', { 'syslog-format': 'rfc3164' }],
])('the syslog receiver over %s', (_, address, options) => {
  it('is recognised by the label alone, and ends an attack', async () => {
    await lab.host.exec(['mkdir', '--parents', '/run/dock2ban-syslog']);
    product = await startProduct(
      lab,
      changes('syslog', { tag: 'nginx-proxy', 'syslog-address': address, ...options }),
    );
    const started = await product.sees('jail-started', { jail: 'nginx-proxy' });
    expect(started['sources']).toEqual(['syslog receiver:nginx-proxy']);
    expect(await lab.host.readLog()).not.toContain('missing-0');
    await attackIsShutOut('198.51.100.66');
  });
});

describe('the syslog receiver over a unix socket', () => {
  // Docker makes no container whose syslog-address is a socket that isn't there: dock2ban has to run before.
  it('is recognised by the label alone, and ends an attack', async () => {
    await lab.host.exec(['mkdir', '--parents', '/run/dock2ban-syslog']);
    product = await startProduct(lab, changes('syslog', { tag: 'nginx-proxy' }));
    const address = 'unix:///run/dock2ban-syslog/syslog.sock';
    await using _app = await lab.host.run({
      name: 'over-unix',
      publish: ['8090:80'],
      labels: { 'fail2ban.jail': 'nginx-proxy', 'fail2ban.maxretry': '5' },
      log: { driver: 'syslog', options: { tag: 'over-unix', 'syslog-address': address } },
    });
    const changed = await product.sees('jail-changed', { jail: 'nginx-proxy' });
    expect(changed['sources']).toContain('syslog receiver:over-unix');
    await attackIsShutOut('198.51.100.69', 8090);
  });
});

describe('a container that imitates another through the receiver', () => {
  it('is not believed, neither by its text nor from the network of containers', async () => {
    await lab.host.exec(['mkdir', '--parents', '/run/dock2ban-syslog']);
    const address = 'tcp://127.0.0.1:5514';
    product = await startProduct(lab, changes('syslog', { tag: 'nginx-proxy', 'syslog-address': address }));
    const victim = '203.0.113.99';
    const line = `app.example.com ${victim} - - [x] "GET /x HTTP/1.1" 404 153 "-" "curl" "-"`;
    const forged = [
      '',
      'nginx-proxy[1]: ',
      '<30>Nov 22 13:44:53 nginx-proxy[1]: ',
      '99 <30>Nov 22 13:44:53 nginx-proxy[1]: ',
    ];
    await using container = await lab.host.run({
      image: lab.images.base,
      log: { driver: 'syslog', options: { tag: 'other', 'syslog-address': address } },
      command: ['printf', '%s\\n', ...forged.flatMap((lead) => Array.from({ length: 9 }, () => lead + line))],
    });
    await lab.host.docker('wait', container.name);
    // A container of a bridge doesn't reach the host's loopback.
    await using sender = await lab.host.run({
      image: lab.images.base,
      command: [
        'bash',
        '-c',
        `for i in 1 2 3 4 5 6; do echo '<30>Nov 22 13:44:53 nginx-proxy[1]: ${line}' > /dev/udp/172.17.0.1/5514; done`,
      ],
    });
    await lab.host.docker('wait', sender.name);
    await using attacker = await lab.client('198.51.100.83');
    await attacker.get(`http://${lab.host.ip4}/missing`);
    await product.sees('found', { ip: attacker.ip4 });
    expect(await product.eventsOf('found', { ip: victim })).toEqual([]);
  });
});

describe('journald', () => {
  let journald: AsyncDisposable;

  beforeAll(async () => {
    journald = await startJournald(lab);
  });

  afterAll(async () => {
    await journald[Symbol.asyncDispose]();
  });

  it('is read by container id with the label alone, and ends an attack', async () => {
    product = await startProduct(lab, changes('journald', { tag: 'nginx-proxy' }, [journalVolume]));
    const started = await product.sees('jail-started', { jail: 'nginx-proxy' });
    expect(started['sources']).toEqual(['journal:nginx-proxy']);
    await attackIsShutOut('198.51.100.67');
  });

  it("believes nobody but Docker's engine: another user's entries with the container's id count for nothing", async () => {
    product = await startProduct(lab, changes('journald', { tag: 'nginx-proxy' }, [journalVolume]));
    const id = await lab.host.docker('inspect', '--format', '{{.Id}}', 'nginx-proxy');
    const victim = '203.0.113.98';
    const text = `app.example.com ${victim} - - [x] "GET /x HTTP/1.1" 404 1 "-" "curl" "-"`;
    const entry = `CONTAINER_ID_FULL=${id}\nMESSAGE=${text}\n`;
    for (let i = 0; i < 6; i++) {
      await lab.host.exec(['setpriv', '--reuid=65534', '--clear-groups', 'logger', '--journald'], {
        input: entry,
      });
    }
    await using attacker = await lab.client('198.51.100.68');
    await attacker.get(`http://${lab.host.ip4}/missing`);
    await product.sees('found', { ip: attacker.ip4 });
    await delay(500);
    expect(await product.eventsOf('found', { ip: victim })).toEqual([]);
  });
});
