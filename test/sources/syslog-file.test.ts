import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { followSyslogFile, type SyslogUpdate } from '../../src/sources/syslog-file.ts';

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
  const now = new Date(2026, 10, 22, 14).getTime();
  const wanted = (program: string): boolean => program === 'nginx-proxy';
  const done = (async () => {
    const { signal } = end;
    for await (const update of followSyslogFile(path, { signal, from: 'end', wanted, now: () => now })) {
      updates.push(update);
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
  const lines = (): unknown[] => updates.flatMap((update) => (update.type === 'lines' ? update.lines : []));
  await vi.waitFor(() =>
    expect(lines()).toEqual([
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
