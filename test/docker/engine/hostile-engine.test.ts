import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { engineConnector, type ConnectOptions } from '../../../src/docker/engine/engine-connector.ts';
import type { EngineClient } from '../../../src/docker/engine/engine-client.ts';
import { badAnswers, flood } from '../bad-answers.ts';
import { FakeEngine, idOf, json } from '../fake-engine.ts';

let engine: FakeEngine;
let end: AbortController;

beforeEach(async () => {
  engine = await new FakeEngine().start();
  engine.containers = [{ id: idOf('aa'), name: 'web' }];
  end = new AbortController();
});

afterEach(async () => {
  end.abort();
  await engine.stop();
});

const connect = (options?: ConnectOptions): Promise<EngineClient> =>
  engineConnector(`unix://${engine.socketPath}`, options)(end.signal);

/** Every question that is asked. */
const calls: [string, (client: EngineClient) => Promise<unknown>][] = [
  ['/info', (client) => client.info(end.signal)],
  ['/containers/json', (client) => client.listContainers(end.signal)],
  ['/containers/json', (client) => client.ping(end.signal)],
  ['/networks', (client) => client.listNetworks(end.signal)],
  ['/services', (client) => client.listServices(['x'], end.signal)],
  ['/containers/', (client) => client.inspectContainer(idOf('aa'), end.signal)],
  ['/events', (client) => client.events(end.signal)],
  ['/containers/', (client) => client.logs(idOf('aa'), { since: '0.0', follow: true }, end.signal)],
];

describe('an engine that redirects', () => {
  it.each(calls)('from %s is not followed', async (path, call) => {
    const client = await connect();
    const location = `http://127.0.0.1:1${path}\n`.trim();
    engine.intercept = (asked, response) => {
      if (!asked.startsWith(path)) return false;
      response.writeHead(307, { location });
      response.end();
      return true;
    };
    await expect(call(client)).rejects.toMatchObject({
      code: 'docker-redirect',
      message: expect.stringContaining(`a redirect to ${location}, which is not followed`),
      fix: expect.stringContaining('--docker-host'),
    });
  });

  it.each(['', 'file:///etc/passwd', 'gopher://x', '//', 'http://[', 'x'.repeat(10_000)])(
    'to %.20j is no more than an error',
    async (location) => {
      const client = await connect();
      engine.intercept = (_, response) => {
        response.writeHead(301, { location });
        response.end();
        return true;
      };
      await expect(client.listContainers(end.signal)).rejects.toMatchObject({ code: 'docker-redirect' });
    },
  );
});

/** That path is answered without end. */
function endless(path: string, text: string): void {
  engine.intercept = (asked, response) => {
    if (!asked.startsWith(path)) return false;
    flood(response, text);
    return true;
  };
}

describe('an answer without end', () => {
  const spaces = ' '.repeat(65_536);
  // Those that are listed are as long as those of 50,000 containers.
  it.each(calls.filter(([path]) => path === '/info' || path === '/containers/'))(
    'of %s is cut off',
    async (path, call) => {
      const client = await connect();
      endless(path, spaces);
      const answer = await call(client).then(
        () => 'a stream',
        (error: Error) => error.message,
      );
      expect(answer).toMatch(/longer than 4,194,304 bytes|a stream/);
      end.abort();
      await vi.waitFor(() => expect(engine.openConnections).toBe(0));
    },
  );

  it('of the list is cut off, too', async () => {
    const client = await connect();
    endless('/containers/json', spaces);
    await expect(client.listContainers(end.signal)).rejects.toThrow('longer than 67,108,864 bytes');
  });

  it('of an error is not waited for', async () => {
    const client = await connect();
    engine.intercept = (_, response) => {
      response.writeHead(500);
      const timer = setInterval(() => response.write(spaces), 1);
      response.on('close', () => clearInterval(timer));
      return true;
    };
    await expect(client.listContainers(end.signal)).rejects.toMatchObject({ code: 'docker-refused' });
  });

  it('in its headers is an error', async () => {
    const client = await connect();
    engine.intercept = (_, response) => {
      response.writeHead(200, { x: 'y'.repeat(20_000) });
      response.end('[]');
      return true;
    };
    await expect(client.listContainers(end.signal)).rejects.toThrow(/overflow/i);
  });
});

describe('an answer', () => {
  it('that comes in drips is given up in time', async () => {
    const client = await connect({ timeout: 300 });
    engine.intercept = (_, response) => {
      badAnswers.dripping(response);
      return true;
    };
    const begun = performance.now();
    await expect(client.listContainers(end.signal)).rejects.toThrow('no answer within 0.3 s');
    expect(performance.now() - begun).toBeLessThan(5_000);
    await vi.waitFor(() => expect(engine.openConnections).toBe(0));
  });

  it('of more parts than can be kept is refused before it is parsed', async () => {
    const client = await connect();
    engine.intercept = (_, response) => {
      response.writeHead(200);
      response.end(`[${'[],'.repeat(5_000_000)}[]]`);
      return true;
    };
    await expect(client.listContainers(end.signal)).rejects.toThrow('more than 8,000,000 parts');
  });

  it('nested without end is no list', async () => {
    const client = await connect();
    engine.intercept = (_, response) => {
      response.writeHead(200);
      response.end('['.repeat(1_000_000) + ']'.repeat(1_000_000));
      return true;
    };
    expect(await client.listContainers(end.signal)).toEqual({ entries: [], unreadable: 1 });
  });

  it('that asks for another protocol is an error', async () => {
    const client = await connect();
    engine.intercept = (_, response) => {
      response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      return true;
    };
    await expect(client.listContainers(end.signal)).rejects.toThrow('another protocol');
  });

  it('tells no more of an error than a line', async () => {
    const client = await connect();
    engine.intercept = (_, response) => {
      json(response, 500, { message: `one\n\u001b[2Jtwo${'x'.repeat(10_000)}` });
      return true;
    };
    const error = await client.info(end.signal).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ message: expect.stringMatching(/^[^\p{Cc}]{0,500}$/u) });
  });
});

it.each([
  ['is none', 'x'],
  ['leads elsewhere', '1.41/../../evil'],
])('a version that %s is not asked with', async (_, ApiVersion) => {
  engine.intercept = (path, response) => {
    if (path !== '/version') return false;
    json(response, 200, { Version: '29', ApiVersion });
    return true;
  };
  const client = await connect();
  await client.listContainers(end.signal);
  expect(engine.requests.at(-1)).toBe('/containers/json?all=true');
});

it('nothing is ever asked but by GET', async () => {
  const client = await connect();
  for (const [, call] of calls) await call(client).catch(() => undefined);
  expect(new Set(engine.methods)).toEqual(new Set(['GET']));
});
