import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  followJournal,
  type JournalOptions,
  type JournalUpdate,
} from '../../src/sources/journal/follow-journal.ts';
import { type StartJournalctl, systemJournalctl } from '../../src/sources/journal/journalctl-process.ts';
import { isInstalled } from '../system/packages.ts';
import { JournalFile, journalRemote } from './journal-file.ts';

const ready = (await isInstalled('journalctl')) && (await isInstalled(journalRemote));
if (!ready) process.stderr.write('SKIPPED: journalctl or systemd-journal-remote is not installed\n');

const container = 'a'.repeat(64);
const now = Date.now();

let folder: string;
let journal: JournalFile;
let end: AbortController;
let updates: JournalUpdate[];
let done: Promise<void>;
let processes: ReturnType<StartJournalctl>[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
  journal = new JournalFile(join(folder, 'journal'));
  updates = [];
  processes = [];
  done = Promise.resolve();
});

afterEach(async () => {
  end.abort();
  await done;
  rmSync(folder, { recursive: true });
});

function follow(options: Partial<JournalOptions> = {}): void {
  end = new AbortController();
  const { signal } = end;
  done = (async () => {
    for await (const update of followJournal({
      signal,
      matches: [[[`CONTAINER_ID_FULL=${container}`]], [['_COMM=sshd', '_SYSTEMD_UNIT=ssh.service']]],
      since: now - 600_000,
      now: Date.now,
      place: [`--directory=${journal.folder}`],
      start: (args) => {
        const process = systemJournalctl(args);
        processes.push(process);
        return process;
      },
      ...options,
    })) {
      updates.push(update);
    }
  })();
}

const texts = () =>
  updates.flatMap((update) => (update.type === 'lines' ? update.lines.map(({ line }) => line.text) : []));
const position = () => updates.findLast((update) => update.type === 'lines')!.position;

async function sees(...wanted: string[]): Promise<void> {
  await vi.waitFor(() => expect(texts()).toEqual(wanted), { timeout: 20_000, interval: 20 });
}

const line = (at: number, message: string | Buffer, more: Record<string, string> = {}) => ({
  at,
  fields: {
    _COMM: 'dockerd',
    _HOSTNAME: 'web1',
    SYSLOG_IDENTIFIER: 'nginx',
    CONTAINER_ID_FULL: container,
    PRIORITY: '6',
    MESSAGE: message,
    ...more,
  },
});
const sshd = (at: number, message: string, boot = 1) => ({
  at,
  boot,
  fields: {
    _COMM: 'sshd',
    _SYSTEMD_UNIT: 'ssh.service',
    _HOSTNAME: 'web1',
    SYSLOG_IDENTIFIER: 'sshd',
    SYSLOG_PID: '7',
    MESSAGE: message,
  },
});

describe.skipIf(!ready)('a journal that journalctl reads', () => {
  it('gives the lines of containers and units, of earlier boots too, and follows', async () => {
    await journal.write(
      line(now - 700_000, 'too old'),
      sshd(now - 5000, 'before the reboot', 1),
      sshd(now - 4000, 'after it', 2),
      { at: now - 3500, fields: { _COMM: 'sshd', MESSAGE: 'half of the matches' } },
      line(now - 3000, 'another', { CONTAINER_ID_FULL: 'b'.repeat(64) }),
      line(now - 2900, 'forged', { _UID: '1000' }),
      line(now - 2000, Buffer.from([0x1b, 0x5b, 0x31, 0x6d, 0xc3, 0xa4, 0x00, 0xff])),
      line(now - 1900, 'x'.repeat(16_384), { CONTAINER_PARTIAL_MESSAGE: 'true' }),
      line(now - 1800, 'y'.repeat(10_000)),
    );
    follow();
    const read = [
      'web1 sshd[7]: before the reboot',
      'web1 sshd[7]: after it',
      'web1 nginx: \u001b[1mä\0\ufffd',
      `web1 nginx: ${'x'.repeat(16_384)}${'y'.repeat(10_000)}`,
    ];
    // journalctl finds the forged entry; that it has lost its container's id, the daemon's routes tell.
    await vi.waitFor(
      () => expect(texts()).toEqual([...read.slice(0, 2), 'web1 nginx: forged', ...read.slice(2)]),
      { timeout: 20_000 },
    );
    const forged = updates.flatMap((update) => (update.type === 'lines' ? update.lines : []))[2]!;
    expect(forged.entry.fields.has('CONTAINER_ID_FULL')).toBe(false);
    await journal.write(line(Date.now(), 'now'));
    await vi.waitFor(() => expect(texts().at(-1)).toBe('web1 nginx: now'), { timeout: 20_000 });
    expect(updates.flatMap((update) => (update.type === 'lines' ? update.lines : [])).at(-1)).toMatchObject({
      live: true,
    });
  });

  it('is read on where it was left: after journalctl died, after a stop, and over a reboot', async () => {
    await journal.write(sshd(now - 9000, '1'), sshd(now - 8000, '2'));
    follow();
    await sees('web1 sshd[7]: 1', 'web1 sshd[7]: 2');
    processes[0]!.kill();
    await journal.write(sshd(now - 7000, '3'));
    await sees('web1 sshd[7]: 1', 'web1 sshd[7]: 2', 'web1 sshd[7]: 3');
    const after = position();
    end.abort();
    await done;
    updates = [];
    await journal.write(sshd(now - 6000, '4'), sshd(now - 5000, '5', 2));
    follow({ after });
    await sees('web1 sshd[7]: 4', 'web1 sshd[7]: 5');
  });

  it('is read again for new matches, all that is older marked', async () => {
    await journal.write(sshd(now - 9000, '1'), line(now - 8000, '2'), sshd(now - 7000, '3'));
    follow({ matches: [[['_COMM=sshd']]] });
    await sees('web1 sshd[7]: 1', 'web1 sshd[7]: 3');
    const after = position();
    end.abort();
    await done;
    updates = [];
    await journal.write(sshd(now - 6000, '4'));
    follow({ after, rereadFrom: now - 600_000 });
    await vi.waitFor(
      () =>
        expect(
          updates.flatMap((update) =>
            update.type === 'lines'
              ? update.lines.map(({ line: { text }, reread }) => [text.slice(-1), reread])
              : [],
          ),
        ).toEqual([
          ['1', true],
          ['2', true],
          ['3', true],
          ['4', false],
        ]),
      { timeout: 20_000 },
    );
  });

  it('goes on behind an entry that is gone', async () => {
    await journal.write(sshd(now - 9000, '1'), sshd(now - 8000, '2'), sshd(now - 7000, '3'));
    follow();
    await vi.waitFor(() => expect(texts()).toHaveLength(3), { timeout: 20_000 });
    const second = updates.flatMap((update) => (update.type === 'lines' ? update.lines : []))[1]!.entry
      .cursor;
    end.abort();
    await done;
    updates = [];
    rmSync(journal.folder, { recursive: true });
    journal = new JournalFile(journal.folder);
    await journal.write(sshd(now - 7000, '3'), sshd(now - 6000, '4'));
    follow({ after: second });
    await sees('web1 sshd[7]: 3', 'web1 sshd[7]: 4');
    expect(updates[0]).toEqual({ type: 'gap', reason: 'vacuumed', from: now - 8000, to: now - 7000 });
  });

  it('lacks nothing when it is resumed with other matches, or with nothing new', async () => {
    await journal.write(sshd(now - 9000, '1'), line(now - 8000, '2'), sshd(now - 7000, '3'));
    follow({ matches: [[['_COMM=sshd']]] });
    await sees('web1 sshd[7]: 1', 'web1 sshd[7]: 3');
    const after = position();
    end.abort();
    await done;
    updates = [];
    processes = [];
    follow({ after, matches: [[['_COMM=dockerd']]] });
    // Nothing comes: after a while it is asked whether the entry is there.
    await vi.waitFor(() => expect(processes).toHaveLength(2), { timeout: 20_000 });
    await processes[1]!.ended;
    await journal.write(line(now - 6000, '4'));
    await sees('web1 nginx: 4');
    expect(updates.map(({ type }) => type)).toEqual(['lines']);
  });

  it('from which everything is gone is said to', async () => {
    await journal.write(sshd(now - 9000, '1'));
    follow();
    await sees('web1 sshd[7]: 1');
    const after = position();
    end.abort();
    await done;
    updates = [];
    rmSync(journal.folder, { recursive: true });
    journal = new JournalFile(journal.folder);
    await journal.write(sshd(now - 20_000, 'of before'));
    follow({ after });
    await vi.waitFor(() => expect(updates).toHaveLength(1), { timeout: 20_000 });
    expect(updates[0]).toMatchObject({ type: 'gap', from: now - 9000 });
    expect(texts()).toEqual([]);
  });

  it('leaves no journalctl behind', async () => {
    await journal.write(sshd(now - 9000, '1'));
    follow();
    await sees('web1 sshd[7]: 1');
    end.abort();
    await done;
    expect(processes).toHaveLength(1);
    expect(await processes[0]!.ended).toMatchObject({ message: 'journalctl ended by SIGTERM' });
  });
});
