import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from './client.ts';
import type { Outcome } from './client-protocol.ts';
import { type Lab, startLab } from './lab.ts';
import { below, uncommented, without, withoutService } from './migration-compose.ts';
import { MigrationHost } from './migration-host.ts';
import { Page } from './page.ts';
import { projectRoot } from './product.ts';

const retries = 4;

let lab: Lab;
let migration: MigrationHost;
let page: Page;
let veteran: Client;
let novice: Client;
let honest: Client;
let url: string;

/** Edits the compose file of dock2ban as the page says. */
async function edit(...edits: ((text: string) => string)[]): Promise<void> {
  const file = join(migration.product, 'compose.example.yml');
  const text = await readFile(file, 'utf8');
  await writeFile(
    file,
    edits.reduce((before, change) => change(before), text),
  );
}

/** Missing pages, one after the other. */
async function attack(client: Client, count: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let i = 0; i < count; i++)
    outcomes.push(await client.get(`${url}/missing-${i}`, { host: 'shop.example.com', timeoutMs: 5000 }));
  return outcomes;
}

/** fail2ban refuses, dock2ban drops. */
const closed: ReadonlySet<Outcome> = new Set(['refused', 'timeout']);

async function shutOut(client: Client): Promise<void> {
  const isShut = async (): Promise<boolean> => closed.has(await client.get(url));
  await lab.host.until(`${client.ip4} is shut out`, isShut, 30_000);
}

async function kernel(): Promise<string> {
  const [rules, sets] = [
    await lab.host.exec(['iptables-save']),
    await lab.host.exec(['ipset', 'list', '-n']),
  ];
  return `${rules.stdout}\n${sets.stdout}`;
}

beforeAll(async () => {
  page = await Page.read(join(projectRoot, 'docs/from-fail2ban.md'));
  lab = await startLab();
  url = `http://${lab.host.ip4}:8080`;
  migration = await MigrationHost.open(lab.host, join(projectRoot, 'compose.example.yml'));
  veteran = await lab.client('198.51.100.66');
  novice = await lab.client('198.51.100.77');
  honest = await lab.client('203.0.113.7');
});

afterAll(async () => {
  await migration?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

// One story: each step begins where the one before has ended.
it('before: fail2ban has banned somebody', async () => {
  await lab.host.until('served', async () => (await honest.get(url)) === 200);
  expect(await attack(veteran, retries)).toEqual(Array(retries).fill(404));
  await shutOut(veteran);
  expect(await honest.get(url)).toBe(200);
  expect((await migration.shell('fail2ban-client banned')).stdout).toContain(`{'web': ['${veteran.ip4}']}`);
});

it('1. check and regex understand what is there', async () => {
  const heading = '1. See what would be understood';
  const [mount] = page.blocks(heading, 'yaml', 1);
  await edit(
    (text) => withoutService(text, 'nginx-proxy'),
    (text) => uncommented(text, mount!),
  );
  const [check, regex] = page.blocks(heading, 'sh', 2);
  const checked = await migration.shell(check!);
  expect(checked.stdout).toMatch(
    /^\d+ jails, \d+ filters, \d+ containers? checked: 0 errors, \d+ notices?$/m,
  );
  expect(checked.stdout, 'what the next steps are for').toContain('the label fail2ban.jail=web');
  const line = `${new Date().toString().slice(4, 10)} 08:00:00 dockerhost sshd[7]: Failed password for root from 203.0.113.99 port 4022 ssh2`;
  await lab.host.exec(['tee', '-a', '/var/log/auth.log'], { input: `${line}\n` });
  expect((await migration.shell(regex!)).stdout).toContain('Lines: 1 lines, 0 ignored, 1 matched, 0 missed');
});

it('2. dock2ban watches, and leaves the kernel alone', async () => {
  const heading = '2. Let it watch, without a ban';
  const [watchOnly] = page.blocks(heading, 'yaml', 1);
  await edit((text) => below(text, '      DOCKER_HOST: unix:///run/dock2ban-docker/docker.sock', watchOnly!));
  const [start] = page.blocks(heading, 'sh', 1);
  const [up, logs] = start!.trimEnd().split('\n');
  await migration.shell(up!);
  expect(logs).toBe('docker logs -f dock2ban');
  const log = lab.host.follow('dock2ban');
  try {
    await lab.host.until(
      'it watches the old jails',
      async () => /is ready: .*jails sshd, web/.test(await lab.host.docker('logs', 'dock2ban')),
      30_000,
    );
  } finally {
    log.kill();
  }
  expect(await kernel()).not.toMatch(/dock2ban/i);
  expect(await veteran.get(url), 'fail2ban goes on').toBe('refused');
});

it('3. a container gets its label', async () => {
  const heading = '3. Give your containers a label';
  const [label] = page.blocks(heading, 'yaml', 1);
  await writeFile(join(migration.service, 'compose.override.yml'), label!);
  const [up] = page.blocks(heading, 'sh', 1);
  await migration.shell(up!, migration.service);
  await lab.host.until('the jail watches the container', async () => {
    const status = await migration.shell('docker exec dock2ban dock2ban status web --json');
    const { containers, ports } = JSON.parse(status.stdout) as { containers: string[]; ports: string[] };
    return containers.includes('web') && ports.includes('8080/tcp');
  });
  await lab.host.until('served', async () => (await honest.get(url)) === 200);
  expect(await veteran.get(url), 'fail2ban goes on').toBe('refused');
});

it('4. changes over: the old ban holds all the while, with the time that it has left', async () => {
  const heading = '4. Change over';
  const [watchOnly] = page.blocks('2. Let it watch, without a ban', 'yaml', 1);
  const [mounted] = page.blocks('1. See what would be understood', 'yaml', 1);
  const [database] = page.blocks(heading, 'yaml', 1);
  await edit(
    (text) => without(text, watchOnly!),
    (text) => below(text, mounted!.trimEnd(), database!),
  );
  const until = (await migration.shell('fail2ban-client get web banip --with-time')).stdout;
  const [take, end] = page.blocks(heading, 'sh', 2);

  const changed = new AbortController();
  const tried = (async (): Promise<Outcome[]> => {
    const outcomes: Outcome[] = [];
    while (!changed.signal.aborted) {
      outcomes.push(await veteran.get(url));
      await delay(20);
    }
    return outcomes;
  })();
  try {
    const taken = await migration.shell(take!);
    expect(taken.stdout).toContain('Imported: 1 active bans, 1 of them enforced now');
    expect(taken.stdout).toContain(`{'web': ['${veteran.ip4}']}`);
    await migration.shell(end!);
    expect((await migration.shell('iptables-save')).stdout).not.toContain('f2b-');
    await delay(3000);
  } finally {
    changed.abort();
  }
  expect((await tried).filter((outcome) => !closed.has(outcome))).toEqual([]);
  expect(await veteran.get(url), 'dock2ban alone').toBe('timeout');
  const ours = await migration.shell('docker exec dock2ban fail2ban-client get web banip --with-time');
  expect(ours.stdout.split(' = ')[1]).toBe(until.split(' = ')[1]);
  expect(await honest.get(url)).toBe(200);
});

it('afterwards a new attacker is banned at the same failure as by fail2ban, and others are served', async () => {
  const icons: Outcome[] = [];
  for (let i = 0; i < 2 * retries; i++) icons.push(await honest.get(`${url}/favicon.ico`));
  expect(icons).toEqual(Array(2 * retries).fill(404));

  expect(await attack(novice, retries - 1)).toEqual(Array(retries - 1).fill(404));
  const failed = async (): Promise<string> =>
    (await migration.shell('docker exec dock2ban fail2ban-client status web')).stdout;
  await lab.host.until('counted', async () => /Total failed:\t[^0]/.test(await failed()));
  expect(await failed()).toContain(`Total failed:\t${retries - 1}\n`);
  expect(await novice.get(url), 'one failure is missing').toBe(200);
  await attack(novice, 1);
  await shutOut(novice);
  expect(await honest.get(url)).toBe(200);
});

it('5. scripts go on with fail2ban-client', async () => {
  const [wrapper] = page.blocks('5. Clear up', 'sh', 1);
  await migration.shell(wrapper!);
  const { stdout } = await migration.shell('fail2ban-client status web');
  expect(stdout).toContain('Status for the jail: web\n|- Filter\n');
  expect(stdout).toContain(`Banned IP list:\t${veteran.ip4} ${novice.ip4}`);
  const script = "fail2ban-client set web unbanip 198.51.100.250 && sh -c 'fail2ban-client ping'";
  expect((await migration.shell(script)).stdout).toBe('0\nServer replied: pong');
});

it('the way back: nothing of dock2ban is left, and fail2ban bans again', async () => {
  const [back] = page.blocks('The way back', 'sh', 1);
  await migration.shell(back!);
  expect(await kernel()).not.toMatch(/dock2ban/i);
  expect((await lab.host.docker('ps', '--all', '--format', '{{.Names}}')).split('\n')).toEqual(['web']);
  await shutOut(veteran);
  await shutOut(novice);
  expect(await honest.get(url)).toBe(200);
  expect((await migration.shell('fail2ban-client status web')).stdout).toContain(veteran.ip4);
});
