import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/config/options/duration.ts';
import type { Row } from './client-table-row.ts';
import { rows } from './client-table.ts';
import {
  configure,
  editJails,
  logLine,
  startDock2ban,
  startFail2ban,
  type Outcome,
  type Server,
} from './client-table-servers.ts';

let dir: string;
let fail2ban: Server;
let dock2ban: Server;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-client-table-'));
  await configure(dir);
  fail2ban = await startFail2ban(dir);
  dock2ban = await startDock2ban(dir);
});

afterAll(async () => {
  await Promise.all([fail2ban?.stop(), dock2ban?.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

/** What must differ does not count: the version, times of day, the directory. */
function normal({ exitCode, stdout }: Outcome): Pick<Outcome, 'exitCode' | 'stdout'> {
  return {
    exitCode,
    stdout: stdout
      .replaceAll(dir, '<dir>')
      .replace(/^(?:Fail2Ban|dock2ban) v\d(?:.+\n)+\n/m, '<banner>\n')
      .replace(/^\d+\.\d+\.\d+$/m, '<version>')
      .replaceAll(/(?!9999)\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '<time>'),
  };
}

async function both(words: readonly string[], typed = '') {
  const [theirs, ours] = await Promise.all([fail2ban.typing(typed, words), dock2ban.typing(typed, words)]);
  return { theirs: normal(theirs), ours: normal(ours), told: ours.stderr };
}

function title(row: Row): string {
  if ('edited' in row) return `(jail.local: ${JSON.stringify(row.edited)})`;
  if ('log' in row) return `(${row.log} logs ${row.logged ?? 'nothing'})`;
  return [...row.words, ...(row.typed === undefined ? [] : [JSON.stringify(row.typed)])].join(' ');
}

// The rows are one story: each finds what those before it left.
describe('fail2ban-client, side by side', () => {
  it.each(rows.map((row, i) => [i, title(row), row] as const))('%i: %s', async (_, __, row) => {
    if ('edited' in row) {
      editJails(dir, ...row.edited);
      return;
    }
    if ('log' in row) {
      if (row.logged !== undefined) logLine(dir, row.log, row.logged);
      for (const { client } of [fail2ban, dock2ban])
        await expect
          .poll(async () => (await client('status', row.log)).stdout, { timeout: 60_000 })
          .toContain(row.until);
      return;
    }
    const { theirs, ours, told } = await both(row.words, row.typed);
    if (!row.differs) {
      expect(ours, told).toEqual(theirs);
      return;
    }
    const { exitCode, stdout } = row.differs;
    expect(ours, told).toEqual({ exitCode, stdout: stdout === '' ? '' : `${stdout}\n` });
    expect(ours, `not different any more, though: ${row.differs.reason}`).not.toEqual(theirs);
  });

  it('-d prints what sets the jails up, but for the actions', async () => {
    const { theirs, ours } = await both(['-d']);
    const setUp = theirs.stdout
      .split('\n')
      .filter((line) => /^\['(?:add|start|(?:multi-)?set)', '(?:app|web)'/.test(line))
      .filter((line) => !/^\['(?:multi-)?set', '\w+', '(?:add)?action'/.test(line))
      .map((line) =>
        line.replace(/'(findtime|bantime)', '(.+)'/, (_, name, time) => `'${name}', ${parseDuration(time)}`),
      );
    expect(setUp.length).toBeGreaterThan(25);
    expect(ours.stdout.split('\n')).toEqual(expect.arrayContaining(setUp));
  });

  it('has enough rows to mean something, and gives a reason for each that differs', () => {
    const commands = rows.filter((row) => 'words' in row);
    expect(commands.length).toBeGreaterThanOrEqual(60);
    const differing = commands.filter(({ differs }) => differs);
    expect(differing.length).toBeLessThan(commands.length / 3);
    for (const { differs } of differing) expect(differs?.reason).toMatch(/^.{20}/);
  });
});
