import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { execa } from 'execa';
import { doctor } from '../../src/cli/commands/doctor.ts';
import { uninstallRules } from '../../src/cli/commands/uninstall-rules.ts';
import { serveControl } from '../../src/control/server.ts';
import { Dock2banError } from '../../src/errors.ts';
import { error, ok, untested, warning, type Finding } from '../../src/doctor/finding.ts';
import { fakeController } from '../control/fake-controller.ts';

const obstacle = { what: 'it is broken', consequence: 'nobody is banned', remedy: 'mend it' };
const running = { status: async () => fakeController().status() };
const silent = {
  status: async () => {
    throw new Dock2banError('unreachable', 'no controller answers');
  },
};

async function run(findings: readonly Finding[], json = false): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await doctor(
    { client: running, diagnose: async () => findings },
    json,
    (more) => (text += more),
  );
  return { code, text };
}

describe('dock2ban doctor', () => {
  it('prints what is wrong, what follows and the remedy, and says no', async () => {
    expect(
      await run([error('engine', obstacle), untested('clock', 'no line yet'), ok('state', 'fine')]),
    ).toEqual({
      code: 1,
      text: [
        'error: engine: it is broken',
        '  so:  nobody is banned',
        '  fix: mend it',
        'untested: clock: no line yet',
        'ok: state: fine',
        'bans are not working here: 1 error, 0 warnings, 1 untested, 1 ok',
        '',
      ].join('\n'),
    });
    expect(await run([warning('engine', obstacle)])).toMatchObject({ code: 1 });
    expect(await run([untested('clock', 'x'), ok('state', 'fine')])).toMatchObject({ code: 0 });
  });

  it('prints JSON', async () => {
    const { code, text } = await run([error('engine', obstacle)], true);
    expect({ code, ...(JSON.parse(text) as object) }).toEqual({
      code: 1,
      ok: false,
      findings: [{ severity: 'error', topic: 'engine', ...obstacle }],
    });
  });

  it('prints one line each, whatever rules and labels of others hold', async () => {
    const { text } = await run([ok('containers', 'a\u001B[2Jb\nerror: c\u2028d')]);
    expect(text.split('\n')[0]).toBe(String.raw`ok: containers: a\u001b[2Jb\u000aerror: c\u2028d`);
  });

  it('tells the diagnosis what the controller says, or why it says nothing', async () => {
    const seen: unknown[] = [];
    for (const client of [running, silent]) {
      await doctor(
        { client, diagnose: async (controller) => (seen.push(controller), []) },
        false,
        () => undefined,
      );
    }
    expect(seen).toMatchObject([
      { status: { jails: ['nginx-proxy'] } },
      { status: undefined, reason: 'no controller answers' },
    ]);
  });

  it('--wait takes seconds only', async () => {
    const { exitCode, stderr } = await execa('node', ['src/main.ts', 'doctor', '--wait', 'long'], {
      reject: false,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '--wait takes 0 to 3600 seconds' });
  });
});

describe('dock2ban uninstall-rules', () => {
  const options = { socket: '/run/socket', force: false, json: false };
  const absent = async (): Promise<boolean> => false;

  it('tells what it removed', async () => {
    let text = '';
    const removeRules = async () => ['chain A', '2 ipsets'];
    expect(
      await uninstallRules(
        { client: silent, isPresent: absent, removeRules },
        options,
        (more) => (text += more),
      ),
    ).toBe(0);
    expect(text).toBe('removed: chain A\nremoved: 2 ipsets\n');
  });

  it.each([
    [running, absent, false, false],
    [{ status: async () => Promise.reject(new Dock2banError('busy', 'later')) }, absent, false, false],
    [silent, async () => true, false, false],
    [running, async () => true, true, true],
  ])(
    'refuses while anything answers on the socket, or runs on the host, unless it is forced (%#)',
    async (client, isPresent, force, isDone) => {
      let removed = false;
      const removeRules = async () => ((removed = true), []);
      const done = uninstallRules({ client, isPresent, removeRules }, { ...options, force }, () => undefined);
      const outcome = await done.catch((thrown: unknown) => thrown);
      expect(outcome instanceof Dock2banError ? outcome.code : outcome).toBe(
        isDone ? 0 : 'controller-running',
      );
      expect(removed).toBe(isDone);
    },
  );

  it('says on the real command line how to stop it first', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dock2ban-uninstall-'));
    const socket = join(directory, 'socket');
    const server = await serveControl(socket, fakeController());
    try {
      const result = await execa('node', ['src/main.ts', 'uninstall-rules', '--socket', socket], {
        reject: false,
      });
      expect(result).toMatchObject({ exitCode: 1, stdout: '' });
      expect(result.stderr).toContain(`a controller answers on ${socket}`);
      expect(result.stderr).toContain('docker compose stop dock2ban');
    } finally {
      await server.close();
      rmSync(directory, { recursive: true });
    }
  });
});
