import { execa } from 'execa';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { logForm } from '../../src/daemon/events/log-form.ts';
import type { Controller } from '../../src/control/controller.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { oneLine } from '../../src/text/plain-text.ts';
import { fakeController } from '../control/fake-controller.ts';
import { FakeEngine, idOf } from '../docker/fake-engine.ts';

/** A clearing of the screen, a window title by C1, a new line that looks like one of ours, directions, nothing to see, half a pair. */
const hostile =
  '\u001b[2J\u009d0;title\u0007\r\nforged: line\u2028x\u2029\u0085\u202e\u2066\u200f\u061c\u200b\ufeff\u{e0041}\ud800\u007f';
const acts = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const ours = /^(?:\d{4}-\d\d-\d\dT.*Z|[\d.]+|info|UTC.*)$/;

let dir: string;
let socket: string;
let server: ControlServer;

/** Whatever others may have written, in every text. */
function poisoned<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_key, text: unknown) =>
    typeof text === 'string' && !ours.test(text) ? text + hostile : text,
  );
}

function poisonedController(): Controller {
  const real = fakeController();
  const { live, views } = real;
  for (const event of ['ban', 'found']) views.tell(event, 'nginx-proxy', '20.247.234.38');
  const held = views.held.map((event) =>
    Object.assign({}, event, { json: JSON.stringify(poisoned(JSON.parse(event.json))) }),
  );
  const refused = [{ ip: '192.0.2.1', reason: hostile }];
  const problems = [{ where: hostile, message: hostile, fix: hostile }];
  return {
    status: () => ({
      ...poisoned(real.status()),
      access: [{ container: hostile, ports: [hostile], allowfrom: [hostile], denyfrom: [hostile] }],
      firewall: { backend: hostile, healthy: false, troubles: [hostile] },
      jails: [`nginx-proxy${hostile}`],
    }),
    jail: () => poisoned(real.jail('nginx-proxy')),
    banned: () => ({ [hostile]: ['20.247.234.38', '20.247.234.0/24'] }),
    ban: async () => ({ count: 1, refused }),
    unban: async () => ({ count: 1, refused }),
    views: {
      events: { after: () => held, subscribe: () => () => undefined },
      stats: () => poisoned(views.stats()),
      why: (ip) => poisoned({ ...views.why(ip), neverBanned: hostile }),
      export: () => views.export(),
      import: async () => ({ active: 1, remembered: 0, enforced: 0, waiting: { [hostile]: 1 }, refused }),
    },
    live: {
      reload: async () => ({ applied: false, started: [hostile], changed: [], stopped: [], problems }),
      options: () => poisoned(live.options('nginx-proxy')),
      edit: async () => poisoned(live.options('nginx-proxy')),
      start: async () => true,
      stop: async () => true,
      attempt: async () => ({ count: 0, refused }),
    },
  };
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-text-'));
  socket = join(dir, 'control.sock');
  server = await serveControl(socket, poisonedController());
  writeFileSync(
    join(dir, 'export.json'),
    JSON.stringify({ export: 1, bans: [{ jail: hostile }, { jail: 'a', ip: '192.0.2.1', since: 'x' }] }),
  );
  writeFileSync(join(dir, 'log'), `2026-11-22 13:44:53 bad 192.0.2.1 ${hostile.replace('\n', '')}\n`);
});

afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

it.each([
  ['status'],
  ['status', '--json'],
  ['status', 'nginx-proxy'],
  ['ban', 'nginx-proxy', '192.0.2.1'],
  ['unban', '192.0.2.1'],
  ['banned'],
  ['banned', '--json'],
  ['banned', '20.247.234.38'],
  ['reload'],
  ['reload', '--json'],
  ['why', '20.247.234.38'],
  ['why', '20.247.234.38', '--json'],
  ['stats'],
  ['top'],
  ['logs'],
  ['logs', '--json'],
  ['export'],
  ['import', 'export.json'],
  ['import', 'export.json', '--json'],
  ['status', hostile.replaceAll('\0', '')],
  [hostile],
  ['regex', 'log', 'bad <HOST>', '--print-all-matched'],
  ['regex', 'log', hostile],
])('%j shows what others wrote, and a terminal does nothing of it', async (...words) => {
  const asked = ['regex', 'export', hostile].includes(words[0]) ? words : [...words, '--socket', socket];
  const options = words[0] === 'export' ? [...words, '--socket', socket] : asked;
  const main = join(import.meta.dirname, '../../src/main.ts');
  const env = { FORCE_COLOR: '0', NO_COLOR: '1' };
  const { stdout, stderr } = await execa('node', [main, ...options], { cwd: dir, reject: false, env });
  expect(stdout + stderr).not.toMatch(acts);
  if (words[0] !== 'import' && words[0] !== hostile && words[1] !== hostile)
    expect(stdout).not.toMatch(/^forged/m);
  expect((stdout + stderr).length).toBeGreaterThan(0);
});

it.each([
  'status',
  'banned',
  'get nginx-proxy failregex',
  'get nginx-proxy ignoreip',
  'get nginx-proxy logpath',
  'get nginx-proxy journalmatch',
  'get nginx-proxy datepattern',
  'set nginx-proxy maxretry 3',
  'status --all',
  'stats',
  'reload',
])('fail2ban-client %s, too', async (words) => {
  const script = join(import.meta.dirname, '../../src/main.ts');
  const run = await execa(
    'node',
    [
      '--import',
      'data:text/javascript,process.argv[1]="fail2ban-client"',
      script,
      '-s',
      socket,
      ...words.split(' '),
    ],
    { cwd: dir, reject: false },
  );
  expect(run.stdout + run.stderr).not.toMatch(acts);
  expect(run.stdout).not.toMatch(/^forged/m);
  expect(run.stdout + run.stderr).not.toBe('');
});

it.each([['check'], ['check', '--json']])(
  '%j shows what stands in files and labels, and a terminal does nothing of it',
  async (...options) => {
    // Of a label, all; in a file, what a line may have.
    const inLine = hostile.replaceAll(/[\r\n]/g, '');
    const folder = join(dir, 'fail2ban');
    mkdirSync(join(folder, 'filter.d'), { recursive: true });
    writeFileSync(
      join(folder, 'jail.local'),
      [
        `[a${inLine}]\nenabled = true\n`,
        `[b]\nenabled = true\nmaxretry = ${inLine}\n${inLine} = x\n`,
        inLine,
      ].join(''),
    );
    writeFileSync(join(folder, 'filter.d/b.conf'), `[Definition]\nfailregex = (${inLine} <HOST>\n`);
    const engine = await new FakeEngine().start();
    const labels = {
      'fail2ban.jail': 'web',
      [`fail2ban.${hostile}`]: hostile,
      'fail2ban.failregex': `(${hostile}`,
    };
    engine.containers = [
      { id: idOf('a1'), name: `web${hostile}`, labels },
      { id: idOf('a2'), name: 'named', labels: { 'fail2ban.jail': hostile } },
    ];
    const main = join(import.meta.dirname, '../../src/main.ts');
    const words = [...options, '--config-dir', folder, '--docker-host', `unix://${engine.socketPath}`];
    const { stdout, stderr } = await execa('node', [main, ...words], {
      reject: false,
      env: { NO_COLOR: '1' },
    });
    await engine.stop();
    expect(stdout + stderr).not.toMatch(acts);
    expect(stdout + stderr).not.toMatch(/^forged/m);
    for (const shown of ['jail.local:', 'filter.d/b.conf', 'container web', 'container named'])
      expect(stdout).toContain(shown);
  },
);

it.each(['text', 'json', 'fail2ban'] as const)(
  'the log as %s can be forged by no text: each event is one line, and nobody else colours it',
  (format) => {
    const event = { time: '2026-11-22T13:44:53.000Z', level: 'info', event: 'ban', msg: hostile };
    const fields = { container: hostile, failures: hostile, until: null, reason: hostile };
    const line = logForm(format, true)(`${JSON.stringify({ ...event, ...fields })}\n`);
    expect(line.trimEnd()).not.toMatch(/[\n\t]/);
    expect(line).not.toMatch(acts);
    if (format === 'json') expect(JSON.parse(line).msg).toBe(hostile);
  },
);

it('what a terminal acts on is escaped', () => {
  expect(oneLine('a\tb\n\u{e0041}')).toBe(String.raw`a\u0009b\u000a\udb40\udc41`);
});
