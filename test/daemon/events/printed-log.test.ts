import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished, vi } from 'vitest';
import { FakeEngine } from '../../docker/fake-engine.ts';
import { spawnRun } from '../run-process.ts';

const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;

/** The lines that `dock2ban run --firewall none` prints until it has banned an address and is told to stop. */
async function printed(logFormat: 'default' | 'fail2ban'): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dock2ban-printed-'));
  mkdirSync(join(folder, 'fail2ban'));
  for (const name of ['syslog', 'app.log']) writeFileSync(join(folder, name), '');
  writeFileSync(
    join(folder, 'fail2ban/jail.local'),
    `[app]\nenabled = true\nfilter =\nfailregex = ^\\s*bad <HOST>$\nlogpath = ${join(folder, 'app.log')}\nmaxretry = 2\n`,
  );
  const engine = await new FakeEngine().start();
  const child = spawnRun(folder, engine, [], {}, { logFormat });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const lines: string[] = [];
  createInterface(child.stdout!).on('line', (line) => lines.push(line));
  const says = (text: string) =>
    vi.waitFor(() => expect(lines.join('\n')).toContain(text), { timeout: 20_000, interval: 50 });
  await says('dock2ban is ready');
  const stamp = new Date().toISOString();
  appendFileSync(join(folder, 'app.log'), `${stamp} bad 203.0.113.9\n`.repeat(2));
  await says('Would ban');
  child.kill('SIGTERM');
  await once(child, 'exit');
  return lines;
}

it('is text where nothing else is asked for, without a terminal too: a line an event, which says all that matters', async () => {
  const lines = await printed('default');
  for (const line of lines) expect(line).toMatch(new RegExp(`^${time} (INFO |WARN |ERROR) \\S`));
  const banned = lines.filter((line) => line.includes('203.0.113.9'));
  expect(banned.map((line) => line.replaceAll(new RegExp(time, 'g'), 'TIME'))).toEqual([
    expect.stringMatching(/^TIME INFO {2}\[app\] Found 203\.0\.113\.9(?: - TIME)? \(failure 1\)$/),
    expect.stringMatching(/^TIME INFO {2}\[app\] Found 203\.0\.113\.9(?: - TIME)? \(failure 2\)$/),
    'TIME INFO  [app] Would ban 203.0.113.9 (2 failures, until TIME)',
  ]);
}, 40_000);

it('is fail2ban.log’s where that is asked for; what would be banned is no ban to who reads it', async () => {
  const lines = await printed('fail2ban');
  for (const line of lines) expect(line).toMatch(new RegExp(`^${time},\\d{3} fail2ban\\.`));
  expect(lines.filter((line) => line.includes('] Ban '))).toEqual([]);
}, 40_000);
