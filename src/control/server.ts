import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { chmodSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { Dock2banError, messageOf } from '../errors.ts';
import { apiVersion, type Controller, type ErrorBody } from './api.ts';
import { banRequest, unbanRequest } from './requests.ts';

/** The control interface, as long as it is open. */
export interface ControlServer {
  close(): Promise<void>;
}

/** HTTP routes over a controller. */
export function controlApp(controller: Controller): Hono {
  const app = new Hono().basePath(`/${apiVersion}`);
  const tooLarge = failure('too-large', 'the body is larger than 1 MiB');
  app.use(bodyLimit({ maxSize: 1024 * 1024, onError: (c) => c.json(tooLarge, 413) }));
  app.get('/status', (c) => c.json(controller.status()));
  app.get('/bans', (c) => c.json(controller.banned()));
  app.get('/jails/:jail', (c) => {
    const name = c.req.param('jail');
    const jail = controller.jail(name);
    return jail ? c.json(jail) : c.json(noSuchJail(name), 404);
  });
  app.post('/bans', async (c) => {
    const { jail, ips } = parse(banRequest, await c.req.text());
    const result = await controller.ban(jail, ips);
    return result ? c.json(result) : c.json(noSuchJail(jail), 404);
  });
  app.post('/unbans', async (c) => {
    const { jail, ips } = parse(unbanRequest, await c.req.text());
    const result = await controller.unban(jail, ips);
    return result ? c.json(result) : c.json(noSuchJail(jail ?? ''), 404);
  });
  app.notFound((c) => c.json(failure('not-found', `no such resource: ${c.req.path}`), 404));
  app.onError((error, c) => {
    const code = error instanceof Dock2banError ? error.code : 'internal';
    return c.json(failure(code, messageOf(error)), code === 'invalid-request' ? 400 : 500);
  });
  return app;
}

/**
 * Serves the controller on a unix socket that only its owner can use (mode 0600).
 * @throws Dock2banError `socket-in-use` if another controller answers there, `socket` if it can't be made
 */
export async function serveControl(path: string, controller: Controller): Promise<ControlServer> {
  if (await answers(path)) {
    throw new Dock2banError('socket-in-use', `another dock2ban already serves ${path}`, {
      fix: 'stop the other one, or give this one another --socket',
    });
  }
  const server = createAdaptorServer({ fetch: controlApp(controller).fetch });
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(path, { force: true });
    await listenPrivately(server, path);
  } catch (cause) {
    throw new Dock2banError('socket', `cannot serve the control socket ${path}: ${messageOf(cause)}`, {
      fix: 'mount a writable folder there (compose: tmpfs: [/run]), or choose another --socket',
      cause,
    });
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

/** The socket exists with mode 0600 from its first moment: the umask counts when it is bound. */
async function listenPrivately(server: ReturnType<typeof createAdaptorServer>, path: string): Promise<void> {
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } finally {
    process.umask(umask);
  }
  chmodSync(path, 0o600);
}

async function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function parse<Schema extends z.ZodType>(schema: Schema, body: string): z.infer<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new Dock2banError('invalid-request', `the body is no JSON: ${messageOf(cause)}`, { cause });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new Dock2banError('invalid-request', `${where}${issue?.message ?? 'invalid'}`);
}

function noSuchJail(name: string): ErrorBody {
  return failure('no-such-jail', `Sorry but the jail '${name}' does not exist`);
}

function failure(code: string, message: string): ErrorBody {
  return { error: { code, message } };
}
