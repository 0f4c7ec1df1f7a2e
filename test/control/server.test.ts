import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import {
  linkSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient } from '../../src/control/client.ts';
import { serveControl, type ControlServer } from '../../src/control/server.ts';
import { fakeController, nginxProxy } from './fake-controller.ts';

let dir: string;
let path: string;
let server: ControlServer;
let controller: ReturnType<typeof fakeController>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-control-'));
  path = join(dir, 'run', 'dock2ban.sock');
  controller = fakeController();
  server = await serveControl(path, controller);
});

afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

function post(resource: string, body: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: path, method: 'POST', path: resource }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.on('end', () => resolve({ status: incoming.statusCode, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('the control socket', () => {
  it('can be used by its owner only', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'run')).mode & 0o777).toBe(0o700);
  });

  it('gives status, jails and bans, and takes bans and unbans', async () => {
    const client = new ControlClient(path);
    expect((await client.status()).jails).toEqual(['nginx-proxy']);
    expect(await client.jail('nginx-proxy')).toEqual(nginxProxy);
    expect(await client.ban('nginx-proxy', ['::FFFF:192.0.2.9', '127.0.0.1'])).toEqual({
      count: 1,
      refused: [{ ip: '127.0.0.1', reason: 'it is loopback' }],
    });
    expect(await client.banned()).toEqual({ 'nginx-proxy': ['20.247.234.38', '192.0.2.9'] });
    expect(await client.unban(undefined, ['192.0.2.9'])).toEqual({ count: 1, refused: [] });
    expect([...controller.bans]).toEqual(['20.247.234.38']);
  });

  it('takes prefixes, made canonical', async () => {
    const client = new ControlClient(path);
    expect(
      await client.ban('nginx-proxy', ['203.0.113.7/24', '2001:DB8::1/64', '192.0.2.9/32']),
    ).toMatchObject({ count: 3 });
    expect(controller.bans).toEqual(
      new Set(['20.247.234.38', '203.0.113.0/24', '2001:db8::/64', '192.0.2.9']),
    );
  });

  it.each([
    ['/v1/bans', 'no json', 400, 'the body is no JSON'],
    ['/v1/bans', '{"jail":"nginx-proxy","ips":["$(reboot)"]}', 400, "'$(reboot)' is no IP address"],
    [
      '/v1/bans',
      '{"jail":"nginx-proxy","ips":["192.0.2.0/33"]}',
      400,
      "'192.0.2.0/33' is no IP address or prefix",
    ],
    ['/v1/bans', '{"jail":"nginx-proxy","ips":["0.0.0.0/0"]}', 400, "'0.0.0.0/0' is every address"],
    ['/v1/bans', '{"jail":"nginx-proxy","ips":["192.0.2.1","x"]}', 400, `"message":"'x' is no IP address`],
    ['/v1/unbans', '{"ips":["::/0"]}', 400, "'::/0' is every address"],
    ['/v1/bans', '{"jail":"nginx-proxy","ips":[]}', 400, 'ips'],
    ['/v1/bans', '{"jail":"nginx-proxy","ips":["192.0.2.1"],"port":1}', 400, 'port'],
    ['/v1/bans', '{"jail":"other","ips":["192.0.2.1"]}', 404, "jail 'other' does not exist"],
    ['/v1/nothing', '{}', 404, 'no such resource'],
    ['/v1/bans', `"${'x'.repeat(2 * 1024 * 1024)}"`, 413, ''],
  ])('refuses %s, case %#', async (resource, body, status, text) => {
    const answer = await post(resource, body);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
    expect([...controller.bans]).toEqual(['20.247.234.38']);
  });

  it('is not taken from a controller that lives', async () => {
    await expect(serveControl(path, fakeController())).rejects.toMatchObject({ code: 'socket-in-use' });
    expect((await new ControlClient(path).status()).version).toBe('0.1.0');
  });

  it('is taken over from one that was killed', async () => {
    const left = join(dir, 'left.sock');
    const killed = createServer().listen(join(dir, 'killed.sock'));
    await once(killed, 'listening');
    linkSync(join(dir, 'killed.sock'), left);
    await new Promise((resolve) => void killed.close(resolve));
    const second = await serveControl(left, fakeController());
    expect((await new ControlClient(left).status()).version).toBe('0.1.0');
    await second.close();
  });

  it.each([
    ['a file', (at: string) => writeFileSync(at, 'precious')],
    ['a link to a file', (at: string) => symlinkSync(join(dir, 'victim'), at)],
    ['a link to a socket', (at: string) => symlinkSync(path, at)],
    ['a pipe', (at: string) => void execFileSync('mkfifo', [at])],
  ])('is not put in the place of %s', async (_, make) => {
    const taken = join(dir, 'taken.sock');
    writeFileSync(join(dir, 'victim'), 'precious');
    make(taken);
    const { ino } = lstatSync(taken);
    await expect(serveControl(taken, fakeController())).rejects.toMatchObject({
      code: 'socket',
      message: expect.stringContaining('is no socket'),
    });
    expect(lstatSync(taken).ino).toBe(ino);
    expect(readFileSync(join(dir, 'victim'), 'utf8')).toBe('precious');
  });

  /** What is answered to bytes that may be no request; empty: the connection is closed. */
  async function answerTo(bytes: string): Promise<string> {
    const socket = connect(path);
    socket.end(bytes, 'latin1');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  }

  it.each([
    '//',
    '/',
    '',
    '*',
    '/v1//',
    '/v1/status/',
    '//v1/status',
    '?',
    '/v1/jails/%',
    '/v1/jails/%ff',
    'http://[/v1/status',
    '/v1/../v1/status',
    '/v1/events?last=-1',
    '/v1/why/::/0/0',
  ])('answers a request for "%s" with a 4xx', async (target) => {
    expect(await answerTo(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 4\d\d /,
    );
  });

  it('answers no bytes whatever with a 5xx, and goes on', async () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom(
        'GET',
        'POST',
        'PATCH',
        'BREW',
        ' ',
        '/v1/status',
        '/v1/import',
        '//',
        '%',
        '?follow=false',
        ' HTTP/1.1',
        '\r\n',
        'Content-Length: 5\r\n',
        '{"bans":[null,{}]}',
        'Host: x',
        'Last-Event-ID: 9',
      ),
    );
    const anyRequest = fc.oneof(
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
      fc
        .tuple(fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE'), part, part, fc.json())
        .map(
          ([method, a, b, body]) =>
            `${method} /v1/${`${a}${b}`.replaceAll(/\s/g, '')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`,
        ),
    );
    await fc.assert(
      fc.asyncProperty(anyRequest, async (bytes) => {
        expect(await answerTo(`${bytes}\r\n\r\n`)).not.toMatch(/^HTTP\/1\.1 5/m);
      }),
      { numRuns: 300 },
    );
    expect((await new ControlClient(path).status()).version).toBe('0.1.0');
  });

  it('is gone with a clear word when nobody serves it', async () => {
    await expect(new ControlClient(join(dir, 'none')).status()).rejects.toMatchObject({
      code: 'unreachable',
      fix: expect.stringContaining('docker exec dock2ban'),
    });
  });
});
