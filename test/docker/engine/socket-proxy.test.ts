import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { type IncomingMessage, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { serveSocketProxy } from '../../../src/docker/engine/socket-proxy.ts';
import { FakeEngine } from '../fake-engine.ts';

const projectRoot = fileURLToPath(new URL('../../..', import.meta.url));

let folder: string;
let engine: FakeEngine;
let proxy: Server;
let output: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-proxy-'));
  engine = await new FakeEngine().start();
  engine.containers = [{ id: 'a'.repeat(64), name: 'web' }];
  output = [];
  proxy = await serveSocketProxy({
    engine: engine.socketPath,
    listen: join(folder, 'docker.sock'),
    report: (text) => output.push(text),
    onLeftBehind: () => output.push('left behind'),
  });
});

afterEach(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The proxy as a process. */
async function start(): Promise<ChildProcess> {
  const words = ['--docker-host', `unix://${engine.socketPath}`, '--listen', join(folder, 'docker.sock')];
  const child = spawn(process.execPath, ['src/main.ts', 'socket-proxy', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  expect(line).toContain('serving');
  return child;
}

async function ask(
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } = {},
): Promise<IncomingMessage> {
  const { body, ...rest } = options;
  const asked = request({ socketPath: join(folder, 'docker.sock'), path, agent: false, ...rest });
  asked.end(body);
  const [answered] = (await once(asked, 'response')) as [IncomingMessage];
  return answered;
}

async function textOf(answered: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of answered) text += String(part);
  return text;
}

describe('dock2ban socket-proxy', () => {
  it.each([
    ['/_ping'],
    ['/version'],
    ['/v1.41/info'],
    ['/v1.41/containers/json?all=1'],
    [`/v1.41/containers/${'a'.repeat(64)}/json`],
    ['/v1.41/networks'],
    ['/v1.41/services?filters=%7B%22id%22%3A%5B%22x%22%5D%7D'],
    [`/v1.41/images/sha256:${'0'.repeat(64)}/json`],
  ])('passes GET %s on', async (path) => {
    const answered = await ask(path);
    await textOf(answered);
    expect(engine.requests.at(-1)).toContain(path);
    expect(answered.statusCode).not.toBe(403);
    expect(answered.statusCode).not.toBe(502);
  });

  it.each([
    ['POST', '/v1.41/containers/create'],
    ['POST', '/v1.41/containers/json'],
    ['HEAD', '/_ping'],
    ['DELETE', '/v1.41/containers/web/json'],
    ['GET', '/v1.41/containers/web/archive?path=/etc/shadow'],
    ['GET', '/v1.41/containers/web/export'],
    ['GET', '/v1.41/containers/web/attach/ws?stdin=1'],
    ['GET', '/v1.41/containers/web/top'],
    ['GET', '/v1.41/images/get?names=x'],
    ['GET', '/v1.41/images/x/get'],
    ['GET', '/v1.41/configs'],
    ['GET', '/v1.41/secrets'],
    ['GET', '/v1.41/containers/../images/x/json'],
    ['GET', '/v1.41/containers/%2e%2e/json'],
    ['GET', '/v1.41/containers/web%2farchive/json'],
    ['GET', '/v1.41//containers/json'],
    ['GET', '/containers/json/../../secrets'],
    ['GET', '/v1.41/containers/json#/x'],
    ['GET', 'http://elsewhere/v1.41/info'],
    ['GET', '/session'],
    ['GET', '/'],
  ])('refuses %s %s, and says so', async (method, path) => {
    const answered = await ask(path, { method });
    await textOf(answered);
    expect(answered.statusCode).toBe(403);
    expect(engine.requests).toEqual([]);
    await vi.waitUntil(() => output.includes(`refused: ${JSON.stringify(`${method} ${path}`)}`));
  });

  it('passes on neither a body, nor headers, nor an upgrade, nor where a redirect leads', async () => {
    let seen: unknown;
    engine.intercept = (_, response) => {
      seen = response.req.headers;
      response.writeHead(302, { location: 'http://elsewhere/', 'content-type': 'text/plain' }).end('moved');
      return true;
    };
    const headers = {
      connection: 'upgrade',
      upgrade: 'tcp',
      'x-registry-auth': 'secret',
      'content-length': '5',
    };
    const answered = await ask('/version', { headers, body: 'hello' });
    expect(answered.statusCode).toBe(302);
    expect(answered.headers.location).toBeUndefined();
    expect(await textOf(answered)).toBe('moved');
    expect(seen).toEqual({ host: 'docker', connection: 'close' });
  });

  it('lets a stream flow as it comes, and ends it with its reader', async () => {
    const answered = await ask('/v1.41/events');
    expect(answered.statusCode).toBe(200);
    await vi.waitUntil(() => engine.subscribers === 1);
    answered.destroy();
    await vi.waitUntil(() => engine.subscribers === 0);
    expect(engine.openConnections).toBe(0);
  });

  it('goes on while the engine restarts, and cuts the streams that it had', async () => {
    const stream = await ask('/v1.41/events');
    const cut = textOf(stream).then(
      () => 'ended',
      () => 'cut',
    );
    await engine.stop();
    expect(await cut).toBe('cut');
    const meanwhile = await ask('/version');
    expect(meanwhile.statusCode).toBe(502);
    expect(await textOf(meanwhile)).toContain('does not answer');
    await engine.start();
    expect((await ask('/version')).statusCode).toBe(200);
  });

  it('as a process: serves root alone, also after it was killed, and has no permissions but these', async () => {
    const socket = join(folder, 'docker.sock');
    const killed = await start();
    expect((statSync(socket).mode & 0o777).toString(8)).toBe('600');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const child = await start();
    expect((await ask('/version')).statusCode).toBe(200);
    const flags = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0');
    expect(flags).toContain('--permission');
    expect(flags.filter((flag) => flag.startsWith('--allow-')).toSorted()).toEqual(
      [`read=${engine.socketPath}/`, `read=${folder}/`, `read=${projectRoot}`, `write=${folder}/`]
        .map((path) => `--allow-fs-${path}*`)
        .toSorted(),
    );
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('serves an engine on a unix socket only', async () => {
    const child = spawn(process.execPath, [
      'src/main.ts',
      'socket-proxy',
      '--docker-host',
      'tcp://127.0.0.1:2375',
    ]);
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(2);
  });
});
