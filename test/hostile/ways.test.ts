import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { filterNames } from '../builtin/builtin-filters.ts';
import { LogWays } from '../daemon/reading/log-ways.ts';
import { type FakeContainer, idOf } from '../docker/fake-engine.ts';
import { messagesOf } from '../sources/docker/fake-container-log.ts';
import { colonSender, hostileRecords, sender } from './records.ts';
import { recordsOf, victim } from './texts.ts';

/** Docker's syslog driver cuts lines into these; rsyslog truncates at 8 KiB. */
const pieceBytes = 16_384;
const rsyslogBytes = 8192;

/** A jail that is never done counting, and what comes to its container's log. */
interface Case {
  readonly jail: string;
  readonly id: string;
  readonly lines: readonly { readonly stream: 1 | 2; readonly text: string }[];
  /** Lines that count against the sender, whatever the client sent. */
  readonly counts: number;
}

const jails = filterNames.filter((name) => name !== 'recidive');

/**
 * Each of a jail's records with texts of which a piece is a record by itself where sources cut, and with a short one at the end.
 */
async function caseOf(jail: string, n: number): Promise<Case> {
  const [record = ''] = await recordsOf(jail);
  const lines: { stream: 1 | 2; text: string }[] = [];
  let counts = 0;
  for (const { line, stream, counts: mode, most = Infinity, longest = Infinity } of hostileRecords[jail]!) {
    if (most < Infinity) continue;
    const begin = Math.max(0, line('qqqq').indexOf('qqqq'));
    for (const cut of [rsyslogBytes, pieceBytes, 2 * pieceBytes]) {
      for (const brought of [record, `${record.slice(0, record.indexOf(victim) + victim.length)} - `]) {
        const text = line(`${'a'.repeat(cut - begin)}${brought}${'b'.repeat(300)}`);
        if (text.includes('\n') || text.length >= longest - 1 || text.length > 60_000) continue;
        lines.push({ stream: stream === 'stderr' ? 2 : 1, text });
        if (mode === 'normal') counts += 1;
      }
    }
  }
  const sure = hostileRecords[jail]!.find(({ counts: mode }) => mode === 'normal')!;
  lines.push({ stream: sure.stream === 'stderr' ? 2 : 1, text: sure.line('x') });
  return { jail, id: idOf(n.toString(16).padStart(2, '0')), lines, counts: counts + 1 };
}

const cases = await Promise.all(jails.map((jail, n) => caseOf(jail, n + 16)));

let ways: LogWays;

beforeEach(async () => {
  ways = new LogWays();
  writeFileSync(ways.syslog, '');
  await ways.engine.start();
});

afterEach(async () => ways.close());

function container({ jail, id }: Case, changes: Partial<FakeContainer>): FakeContainer {
  return {
    id,
    name: jail,
    labels: { 'fail2ban.jail': jail, 'fail2ban.maxretry': '1000' },
    ports: {
      '80/tcp': [{ HostIp: '0.0.0.0', HostPort: String(8000 + Number.parseInt(id.slice(0, 2), 16)) }],
    },
    ...changes,
  };
}

/** How often each jail found the sender; anybody else is told. */
function found(): { counts: Record<string, number>; others: unknown[] } {
  const counts: Record<string, number> = {};
  const others: unknown[] = [];
  for (const { jail, ip } of ways.of('found')) {
    if (ip === sender) counts[String(jail)] = (counts[String(jail)] ?? 0) + 1;
    else if (ip !== colonSender) others.push([jail, ip]);
  }
  return { counts, others };
}

async function settled(expected: Record<string, number>): Promise<void> {
  const isThere = (): boolean =>
    Object.entries(expected).every(([jail, count]) => (found().counts[jail] ?? 0) >= count);
  await vi.waitUntil(isThere, { timeout: 25_000, interval: 50 }).catch(() => undefined);
}

describe('a client counts, and nobody else does, when lines are cut where their sources cut', () => {
  const expected = Object.fromEntries(cases.map(({ jail, counts }) => [jail, counts]));
  const log = (one: Case): void => {
    const at = BigInt(Date.now()) * 1_000_000n;
    for (const [n, { stream, text }] of one.lines.entries())
      ways.logs.log(one.id, ...messagesOf(stream, at + BigInt(n), text));
  };
  const outcome = (): Record<string, unknown> => {
    const { counts, others } = found();
    const missing = Object.entries(expected).filter(([jail, count]) => (counts[jail] ?? 0) < count);
    return { others, missing: missing.map(([jail, count]) => `${jail}: ${counts[jail] ?? 0} of ${count}`) };
  };
  const right = { others: [], missing: [] };

  it("Docker's log API", async () => {
    await ways.start(cases.map((one) => container(one, { logDriver: 'json-file' })));
    await ways.sees('ready');
    cases.forEach(log);
    await settled(expected);
    expect(outcome()).toEqual(right);
  }, 60_000);

  it.each([pieceBytes, rsyslogBytes])(
    'a syslog file with records of %i bytes, beside Docker’s own copy',
    async (bytes) => {
      await ways.start(
        cases.map((one) => container(one, { logDriver: 'syslog', logOptions: { tag: one.jail } })),
      );
      await ways.sees('ready');
      for (const one of cases) {
        log(one);
        const stamp = new Date().toISOString();
        const records = one.lines.flatMap(({ text }) => piecesOf(text, bytes));
        appendFileSync(
          ways.syslog,
          records.map((text) => `${stamp} host ${one.jail}[1]: ${text}\n`).join(''),
        );
      }
      await settled(expected);
      expect(outcome()).toEqual(right);
    },
    60_000,
  );

  it('a log file', async () => {
    const path = (jail: string): string => join(ways.folder, `${jail}.log`);
    for (const { jail } of cases) writeFileSync(path(jail), '');
    mkdirSync(join(ways.folder, 'fail2ban'));
    const section = (jail: string): string =>
      `[${jail}]\nenabled = true\nlogpath = ${path(jail)}\nmaxretry = 1000\nport = 8000\n`;
    const sections = cases.map(({ jail }) => section(jail));
    writeFileSync(join(ways.folder, 'fail2ban/jail.local'), sections.join(''));
    await ways.start([]);
    await ways.sees('ready');
    for (const { jail, lines } of cases)
      appendFileSync(path(jail), lines.map(({ text }) => `${text}\n`).join(''));
    await settled(expected);
    expect(outcome()).toEqual(right);
  }, 60_000);
});

/** As Docker's driver cuts a line and, with fewer bytes, a daemon truncates each piece. */
function piecesOf(text: string, bytes: number): string[] {
  const line = Buffer.from(text);
  const pieces: string[] = [];
  for (let at = 0; at < line.length; at += pieceBytes)
    pieces.push(line.subarray(at, Math.min(at + bytes, at + pieceBytes)).toString());
  return pieces;
}

it('the lines bring the victim with them', () => {
  expect(
    cases.flatMap(({ lines }) => lines).filter(({ text }) => text.includes(victim)).length,
  ).toBeGreaterThan(50);
});
