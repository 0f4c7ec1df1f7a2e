import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient } from '../../src/control/client.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { fakeController } from './fake-controller.ts';

let dir: string;
let path: string;
let server: ControlServer;
let controller: ReturnType<typeof fakeController>;
let client: ControlClient;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-control-'));
  path = join(dir, 'dock2ban.sock');
  controller = fakeController();
  server = await serveControl(path, controller);
  client = new ControlClient(path);
});

afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

function send(method: string, resource: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: path, method, path: resource }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('the live part of the control interface', () => {
  it('reloads, and tells what is wrong', async () => {
    expect(await client.reload()).toMatchObject({ applied: true, changed: ['nginx-proxy'] });
    const fault = { where: '/etc/fail2ban/jail.local:3', message: 'maxretry: no', fix: 'write 5' };
    controller.live.faults.push(fault);
    expect(await client.reload('nginx-proxy')).toMatchObject({ applied: false, problems: [fault] });
    await expect(client.reload('none')).rejects.toMatchObject({ code: 'no-such-jail' });
  });

  it('gives options and takes edits', async () => {
    expect(await client.options('nginx-proxy')).toMatchObject({ maxretry: 5, ignoreip: [] });
    expect(
      await client.edit('nginx-proxy', { set: { maxretry: '3' }, addignoreip: ['192.0.2.1'] }),
    ).toMatchObject({ maxretry: 3, ignoreip: ['192.0.2.1'] });
    expect(await client.options('nginx-proxy')).toMatchObject({ maxretry: 3 });
    await expect(client.edit('nginx-proxy', { set: { maxretry: 'x' } })).rejects.toMatchObject({
      code: 'invalid-option',
      fix: 'write a number such as 5',
    });
    await expect(client.edit('none', {})).rejects.toMatchObject({ code: 'no-such-jail' });
    await expect(client.options('none')).rejects.toMatchObject({ code: 'no-such-jail' });
  });

  it('starts and stops', async () => {
    await client.stop('nginx-proxy');
    expect(controller.live.runs).toBe(false);
    await expect(client.stop('nginx-proxy')).rejects.toMatchObject({ code: 'no-such-jail' });
    await client.start('nginx-proxy');
    expect(controller.live.runs).toBe(true);
    await expect(client.start('none')).rejects.toMatchObject({ code: 'no-such-jail' });
  });

  it('counts attempts of canonical addresses', async () => {
    expect(await client.attempt('nginx-proxy', ['::FFFF:192.0.2.9', '127.0.0.1'], ['one'])).toEqual({
      count: 1,
      refused: [{ ip: '127.0.0.1', reason: 'it is loopback' }],
    });
    expect(controller.live.attempts).toEqual(['192.0.2.9 one']);
    await expect(client.attempt('none', ['192.0.2.1'])).rejects.toMatchObject({ code: 'no-such-jail' });
  });

  it.each([
    ['POST', '/v1/reload', '{"jail":5}', 400, 'jail'],
    ['POST', '/v1/reload', '{"jail":""}', 400, 'jail'],
    ['POST', '/v1/reload', '{"restart":"yes"}', 400, 'restart'],
    ['POST', '/v1/reload', '', 400, 'the body is no JSON'],
    ['PATCH', '/v1/jails/nginx-proxy/options', '{"bantime":"5"}', 400, 'bantime'],
    ['PATCH', '/v1/jails/nginx-proxy/options', '{"set":{"maxretry":5}}', 400, 'set.maxretry'],
    ['PATCH', '/v1/jails/nginx-proxy/options', '{"delfailregex":[-1]}', 400, 'delfailregex'],
    ['PATCH', '/v1/jails/nginx-proxy/options', `{"addignoreip":["${'x'.repeat(20_000)}"]}`, 400, ''],
    ['POST', '/v1/jails/nginx-proxy/attempts', '{"ips":[]}', 400, 'ips'],
    ['POST', '/v1/jails/nginx-proxy/attempts', '{"ips":["192.0.2.0/24"]}', 400, 'is no IP address'],
    ['POST', '/v1/jails/nginx-proxy/attempts', '{"ips":["$(reboot)"]}', 400, 'is no IP address'],
    ['POST', '/v1/jails/none/stop', '', 404, "jail 'none' does not exist"],
    ['DELETE', '/v1/jails/nginx-proxy/options', '', 404, 'no such resource'],
  ])('refuses %s %s %s', async (method, resource, body, status, text) => {
    const before = controller.live.options('nginx-proxy');
    const answer = await send(method, resource, body);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
    expect(controller.live.options('nginx-proxy')).toEqual(before);
    expect(controller.live.attempts).toEqual([]);
  });
});
