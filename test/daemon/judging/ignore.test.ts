import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventLog } from '../../../src/daemon/events/event-log.ts';
import { IgnoreCommand } from '../../../src/daemon/judging/ignore-command.ts';
import { IgnoreRefresh, parseIgnoreFile } from '../../../src/daemon/judging/ignore-refresh.ts';
import { CachingResolver } from '../../../src/filter/caching-resolver.ts';
import { newJail } from '../../jail/new-jail.ts';
import { jailSpec } from '../../jail/jail-spec.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-ignore-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function failure(id: string, fields: Record<string, string> = {}) {
  return { id, time: 1_000_000, attempts: 1, lines: [], fields };
}

describe('ignoreip', () => {
  it('follows its files as they change, and keeps the last good state of one that vanishes', async () => {
    const path = join(folder, 'ignore');
    const warned: string[] = [];
    const events = eventLog(pino({}, { write: (line: string) => void warned.push(line) }));
    const refresh = new IgnoreRefresh(new CachingResolver(async () => []), events);
    const jail = newJail(jailSpec({ ignoreFiles: [path] }));
    writeFileSync(path, '# office\n192.0.2.0/24, 2001:db8::7 ; both\n');
    await refresh.refresh([jail]);
    expect([jail.ignores('192.0.2.9'), jail.ignores('2001:db8::7'), jail.ignores('203.0.113.9')]).toEqual([
      true,
      true,
      false,
    ]);
    writeFileSync(path, '203.0.113.9\n203.0.113.10\n');
    await refresh.refresh([jail]);
    expect([jail.ignores('192.0.2.9'), jail.ignores('203.0.113.9')]).toEqual([false, true]);
    rmSync(path);
    await refresh.refresh([jail]);
    await refresh.refresh([jail]);
    expect(jail.ignores('203.0.113.9')).toBe(true);
    expect(warned).toHaveLength(1);
  });

  it('follows what its DNS names stand for, and keeps it while the resolver fails', async () => {
    let now = 0;
    let answer = ['192.0.2.9'];
    const resolver = new CachingResolver(
      async () => answer,
      () => now,
    );
    const refresh = new IgnoreRefresh(resolver, eventLog(pino({ level: 'silent' })));
    const jail = newJail(jailSpec({ ignoreNames: ['office.example'] }));
    await refresh.refresh([jail]);
    await vi.waitFor(async () => {
      await refresh.refresh([jail]);
      expect(jail.ignores('192.0.2.9')).toBe(true);
    });
    answer = [];
    now = 400_000;
    await refresh.refresh([jail]);
    await new Promise(setImmediate);
    await refresh.refresh([jail]);
    expect(jail.ignores('192.0.2.9')).toBe(true);
    answer = ['192.0.2.10'];
    now = 800_000;
    await vi.waitFor(async () => {
      await refresh.refresh([jail]);
      expect([jail.ignores('192.0.2.9'), jail.ignores('192.0.2.10')]).toEqual([false, true]);
    });
  });

  it.each([
    ['192.0.2.1 192.0.2.2,192.0.2.3\n\n#x\nname # y', ['192.0.2.1', '192.0.2.2', '192.0.2.3', 'name']],
    ['', []],
  ])('file %j', (text, entries) => {
    expect(parseIgnoreFile(text)).toEqual(entries);
  });
});

describe('ignorecommand', () => {
  const spec = jailSpec({ ignoreCommand: ['/bin/check', '--ip=<ip>', '<F-USER>', '<unknown>'] });

  it('gets the tags as whole words, whatever the log line brought in', async () => {
    const run = vi.fn(async () => 1);
    await new IgnoreCommand(Date.now, run).ignores(
      spec,
      failure('192.0.2.9', { user: '$(reboot) `x` "; rm' }),
    );
    expect(run).toHaveBeenCalledWith(['/bin/check', '--ip=192.0.2.9', '$(reboot) `x` "; rm', '<unknown>']);
  });

  it.each([
    [0, true],
    [1, false],
    [2, false],
    [undefined, false],
  ])('exit code %s: ignored %s', async (code, ignored) => {
    expect(await new IgnoreCommand(Date.now, async () => code).ignores(spec, failure('192.0.2.9'))).toBe(
      ignored,
    );
  });

  it('really runs a program, and takes one that is not there for a no', async () => {
    const command = new IgnoreCommand(Date.now);
    const of = (...ignoreCommand: string[]) => jailSpec({ ignoreCommand });
    expect(await command.ignores(of('/usr/bin/test', '<ip>', '=', '192.0.2.9'), failure('192.0.2.9'))).toBe(
      true,
    );
    expect(await command.ignores(of('/usr/bin/test', '<ip>', '=', '192.0.2.9'), failure('192.0.2.8'))).toBe(
      false,
    );
    expect(await command.ignores(of('/nonexistent'), failure('192.0.2.9'))).toBe(false);
  });

  it('asks once for what ignorecache remembers, within its time and count', async () => {
    let now = 0;
    const run = vi.fn(async () => 0);
    const command = new IgnoreCommand(() => now, run);
    const cached = jailSpec({
      ignoreCommand: ['x'],
      ignoreCache: { key: '<ip>', maxCount: 2, maxTime: 300 },
    });
    for (const id of ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.1'])
      await command.ignores(cached, failure(id));
    expect(run).toHaveBeenCalledTimes(2);
    await command.ignores(cached, failure('192.0.2.3'));
    await command.ignores(cached, failure('192.0.2.1'));
    expect(run, 'the oldest answer was dropped').toHaveBeenCalledTimes(4);
    now = 300_000;
    await command.ignores(cached, failure('192.0.2.1'));
    expect(run, 'too old').toHaveBeenCalledTimes(5);
  });
});
