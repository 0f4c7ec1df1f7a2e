import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  followSyslogFile,
  type SyslogLine,
  type SyslogUpdate,
} from '../../../src/sources/syslog/follow-syslog-file.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'syslog-'));
  path = join(folder, 'syslog');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('a syslog file yields the lines of wanted programs, and those without a header', async () => {
  writeFileSync(path, 'Nov 22 13:44:52 host nginx-proxy[1]: before the start\n');
  const end = new AbortController();
  const updates: SyslogUpdate[] = [];
  const lines: SyslogLine[] = [];
  const now = new Date(2026, 10, 22, 14).getTime();
  const wanted = (program: string): boolean => program === 'nginx-proxy';
  const done = (async () => {
    const { signal } = end;
    for await (const update of followSyslogFile(path, { signal, from: 'end', wanted, now: () => now })) {
      updates.push(update);
      if (update.type === 'lines') lines.push(...update.lines);
    }
  })();
  await new Promise((resolve) => {
    setTimeout(resolve, 60);
  });
  appendFileSync(
    path,
    [
      'Nov 22 13:44:53 host nginx-proxy[1]: GET /a 404',
      'Nov 22 13:44:53 host evil[1]: nginx-proxy[1]: GET /a 404',
      'no header',
      'Nov 22 13:44:54 host nginx-proxy-2[1]: GET /a 404',
      '',
    ].join('\n'),
  );
  await vi.waitFor(() =>
    expect(lines).toEqual([
      {
        program: 'nginx-proxy',
        messageStart: ' host nginx-proxy[1]: '.length,
        line: {
          text: ' host nginx-proxy[1]: GET /a 404',
          time: new Date(2026, 10, 22, 13, 44, 53).getTime(),
          dateRemoved: true,
        },
      },
      {
        program: undefined,
        messageStart: 0,
        line: { text: 'no header', time: undefined, dateRemoved: false },
      },
    ]),
  );
  rmSync(path);
  await vi.waitFor(() => expect(updates.at(-1)).toMatchObject({ type: 'lost' }), { timeout: 5_000 });
  end.abort();
  await done;
});

it('every line of a long part comes once, whatever bytes are in it', async () => {
  const messages = Array.from({ length: 3_000 }, (_, n) => `${n} ${'é€\u{1f600}'.repeat(n % 50)}`);
  writeFileSync(path, messages.map((message) => `Nov 22 13:44:53 host app: ${message}\n`).join(''));
  const end = new AbortController();
  const { signal } = end;
  const lines: string[] = [];
  const options = { signal, from: 'start', wanted: () => true, now: Date.now } as const;
  for await (const update of followSyslogFile(path, options)) {
    if (update.type !== 'lines') continue;
    for (const { line, messageStart } of update.lines) lines.push(line.text.slice(messageStart));
    if (lines.length >= messages.length) end.abort();
  }
  expect(lines).toEqual(messages);
});
