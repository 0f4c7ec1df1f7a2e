import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { fakeController } from '../control/fake-controller.ts';

let dir: string;
let socket: string;
let server: ControlServer;
let controller: ReturnType<typeof fakeController>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-cli-'));
  socket = join(dir, 'dock2ban.sock');
  controller = fakeController();
  server = await serveControl(socket, controller);
});

afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Runs the real command line in a process of its own. */
async function dock2ban(...args: string[]) {
  const { exitCode, stdout, stderr } = await execa('node', ['src/main.ts', ...args], {
    reject: false,
    env: { DOCK2BAN_SOCKET: socket },
    stripFinalNewline: false,
  });
  return { exitCode, stdout, stderr };
}

describe('dock2ban reload', () => {
  it('says what it came to', async () => {
    expect(await dock2ban('reload')).toEqual({
      exitCode: 0,
      stdout: 'Reloaded: changed nginx-proxy\n',
      stderr: '',
    });
  });

  it('says no, and what is wrong where, if the configuration is not taken', async () => {
    controller.live.faults.push({
      where: '/etc/fail2ban/jail.local:3',
      message: 'maxretry: "many" is no number',
      fix: 'write 5',
    });
    expect(await dock2ban('reload', 'nginx-proxy')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr:
        '/etc/fail2ban/jail.local:3: maxretry: "many" is no number (write 5)\nNot reloaded: the previous configuration stays active.\n',
    });
    const { exitCode, stdout } = await dock2ban('reload', '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ applied: false, problems: controller.live.faults });
  });

  it('knows no other jail', async () => {
    expect(await dock2ban('reload', 'none')).toMatchObject({
      exitCode: 1,
      stderr: "Sorry but the jail 'none' does not exist\n",
    });
  });
});
