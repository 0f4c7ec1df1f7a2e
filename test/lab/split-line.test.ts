import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { journalVolume, startJournald } from './journald.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, startProduct } from './product.ts';

let lab: Lab;
let product: Product;
let journald: AsyncDisposable;

const listen = 'udp://127.0.0.1:5514,tcp://127.0.0.1:5514';
const host = 'app.example.com';

beforeAll(async () => {
  lab = await startLab();
  journald = await startJournald(lab);
  product = await startProduct(
    lab,
    `services:
  dock2ban:
    environment: { DOCK2BAN_SYSLOG_LISTEN: '${listen}' }
    volumes:
      - ${journalVolume}
`,
  );
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await journald?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

/**
 * A user name with which Docker's driver cuts nginx-proxy's line so that its second piece is a record of the victim's: nginx writes a
 * control character as four.
 */
function splittingUser(attacker: string, victim: string): string {
  const before = `${host} ${attacker} - `.length;
  const filled = 16_384 - before;
  return `${'\u0001'.repeat(Math.floor(filled / 4))}${'a'.repeat(filled % 4)}${host} ${victim} - x`;
}

/** Six requests for missing pages, whose lines are split to be those of another. */
async function attackBySplitLines(url: string, n: number): Promise<void> {
  const [attacking, victim] = [`198.51.100.${n}`, `203.0.113.${n}`];
  await using attacker = await lab.client(attacking);
  await using honest = await lab.client(victim);
  const user = splittingUser(attacking, victim);
  const outcomes = [];
  for (let i = 0; i < 6; i += 1) {
    outcomes.push(await attacker.get(`${url}/missing-${i}`, { host, user, timeoutMs: 3000 }));
    expect(await honest.get(`${url}/`)).toBe(200);
  }
  expect(outcomes.slice(0, 5)).toEqual(Array(5).fill(404));
  // Its own failures count, each once.
  expect(await product.sees('ban', { ip: attacking })).toMatchObject({ failures: 5 });
  expect(await attacker.get(`${url}/`)).toBe('timeout');
  expect(await honest.get(`${url}/`)).toBe(200);
  expect(await product.eventsOf('found', { ip: victim })).toEqual([]);
}

describe('a line that is split to be the record of another bans nobody but its sender', () => {
  it('in the syslog file, of the example as it ships', async () => {
    await attackBySplitLines(`http://${lab.host.ip4}`, 31);
    expect(await product.eventsOf('source-fallback')).toMatchObject([{ containers: ['nginx-proxy'] }]);
  });

  it.each([
    ['sent over UDP', 32, { driver: 'syslog', options: { 'syslog-address': 'udp://127.0.0.1:5514' } }],
    ['sent over TCP', 33, { driver: 'syslog', options: { 'syslog-address': 'tcp://127.0.0.1:5514' } }],
    ['in the journal', 36, { driver: 'journald', options: {} }],
    ['in json-file', 34, { driver: 'json-file', options: {} }],
    ['in local', 35, { driver: 'local', options: {} }],
  ])('%s', async (_, n, { driver, options }) => {
    const tag = driver === 'syslog' ? { tag: `split-${n}` } : {};
    await using _app = await lab.host.run({
      name: `split-${n}`,
      publish: [`80${n}:80`],
      labels: { 'fail2ban.jail': 'nginx-proxy' },
      log: { driver, options: { ...options, ...tag } },
    });
    const isRead = async (): Promise<boolean> => {
      const { stdout } = await product.cli('status', 'nginx-proxy', '--json');
      return stdout.includes(`split-${n}`);
    };
    await lab.host.until(`split-${n} is read`, isRead, 15_000);
    await attackBySplitLines(`http://${lab.host.ip4}:80${n}`, n);
    expect(await product.eventsOf('ban', { ip: `203.0.113.${n}` })).toEqual([]);
  });
});
