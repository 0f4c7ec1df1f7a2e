import type { ChildProcess } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ControlClient } from '../../src/control/client.ts';
import type { Status } from '../../src/control/api.ts';
import { type BadAnswer, badAnswerNames, badAnswers } from '../docker/bad-answers.ts';
import { type FakeContainer, FakeEngine, idOf } from '../docker/fake-engine.ts';
import { FakeLogs } from '../docker/fake-logs.ts';
import { messagesOf } from '../sources/docker/fake-container-log.ts';
import { spawnRun } from './run-process.ts';

let folder: string;
let engine: FakeEngine;
let logs: FakeLogs;
let child: ChildProcess;
let events: { readonly event: string; readonly [field: string]: unknown }[];
/** What is answered badly, by path without version. */
let bad: Map<string, BadAnswer>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-engine-'));
  mkdirSync(join(folder, 'fail2ban'));
  for (const name of ['syslog', 'app.log']) writeFileSync(join(folder, name), '');
  writeFileSync(
    join(folder, 'fail2ban/jail.local'),
    `[app]\nenabled = true\nfilter =\nfailregex = ^\\s*bad <HOST>$\nlogpath = ${join(folder, 'app.log')}\nmaxretry = 1\n`,
  );
  engine = await new FakeEngine().start();
  logs = new FakeLogs(engine);
  bad = new Map();
  const { intercept } = engine;
  engine.intercept = (path, response) => {
    const answer = bad.get(path.replace(/\?.*/, ''));
    if (answer === undefined) return intercept(path, response);
    badAnswers[answer](response);
    return true;
  };
  events = [];
});

afterEach(async () => {
  child.kill('SIGKILL');
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

function container(name: string, n: number, imageId?: string): FakeContainer {
  return {
    id: idOf(`a${n}`),
    name,
    labels: {
      'fail2ban.jail': name,
      'fail2ban.failregex': '^bad <HOST>$',
      'fail2ban.maxretry': '1',
    },
    ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: String(8000 + n) }] },
    ...(imageId !== undefined && { imageId, image: name }),
  };
}

function start(): void {
  child = spawnRun(folder, engine);
  createInterface(child.stdout!).on('line', (line) => events.push(JSON.parse(line)));
}

async function sees(event: string, fields: object = {}): Promise<void> {
  await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ event, ...fields })), {
    timeout: 30_000,
    interval: 20,
  });
}

/** The status, which is there at once whatever the engine does. */
async function status(): Promise<Status> {
  const begun = performance.now();
  const answer = await new ControlClient(join(folder, 'socket')).status();
  expect(performance.now() - begun).toBeLessThan(1_000);
  return answer;
}

let clients = 0;
/** A host service's jail, and one of a container, ban a client each. */
async function expectBans(): Promise<void> {
  const [first, second] = [`198.51.100.${++clients}`, `198.51.100.${++clients}`];
  appendFileSync(join(folder, 'app.log'), `${new Date().toISOString()} bad ${first}\n`);
  logs.log(idOf('a0'), ...messagesOf(1, BigInt(Date.now()) * 1_000_000n, `bad ${second}`));
  await sees('ban', { jail: 'app', ip: first });
  await sees('ban', { jail: 'fine', ip: second });
}

const of = (event: string) => events.filter((one) => one.event === event);

it('containers and images whose inspection never ends well hold up nothing but themselves, and are named once, with the fix', async () => {
  const culprits = badAnswerNames.map((how, n) => {
    const one = container(`container-${how}`, n + 1);
    bad.set(`/containers/${one.id}/json`, how);
    return one;
  });
  const imageNames = badAnswerNames.map((how, n) => {
    const imageId = `sha256:${String(n).repeat(64)}`;
    bad.set(`/images/${imageId}/json`, how);
    culprits.push(container(`image-${how}`, n + 5, imageId));
    return `image-${how}`;
  });
  engine.containers = [container('fine', 0), ...culprits];
  start();
  await sees('ready');
  await status();
  await expectBans();
  for (const how of badAnswerNames)
    await sees('docker-problem', { container: `container-${how}`, fix: expect.stringContaining('docker ') });
  for (const name of imageNames)
    await sees('config-notice', {
      where: `image ${name}`,
      fix: expect.stringContaining(`docker image inspect ${name}`),
    });
  await status();
  await expectBans();
  await engine.emit('{}');
  await expectBans();
  expect((await status()).jails.toSorted()).toEqual(
    ['app', ...engine.containers.map(({ name }) => name)].toSorted(),
  );
  for (const how of badAnswerNames)
    expect(of('docker-problem').filter(({ container: name }) => name === `container-${how}`)).toHaveLength(1);
  for (const name of imageNames)
    expect(of('config-notice').filter(({ where }) => where === `image ${name}`)).toHaveLength(1);
}, 90_000);

it.each(badAnswerNames)(
  'an engine that is %s is told of once, with the fix, and bans go on',
  async (how) => {
    engine.containers = [container('fine', 0)];
    start();
    await sees('ready');
    await expectBans();
    bad.set('/containers/json', how);
    await engine.emit('{}');
    await sees('docker-lost', { fix: expect.any(String) });
    await status();
    await expectBans();
    await engine.emit('{}');
    await status();
    expect(of('docker-lost')).toHaveLength(1);
    bad.clear();
    // So that nobody waits for the answers that are under way.
    await engine.stop();
    await engine.start();
    await sees('docker-resumed');
    await expectBans();
  },
  90_000,
);
