import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { LogWays } from '../daemon/reading/log-ways.ts';
import { SyslogSender, syslogFrame } from '../daemon/reading/syslog-sender.ts';
import type { FakeContainer } from '../docker/fake-engine.ts';
import { messagesOf } from '../sources/docker/fake-container-log.ts';
import { type Case, cases, longCases, pieceBytes } from './cut-lines.ts';
import { colonSender, sender } from './record.ts';
import { victim } from './texts.ts';

const rsyslogBytes = 8192;

let ways: LogWays;

// As the daemon does at its start.
beforeAll(boundBacktracking);

beforeEach(async () => {
  ways = new LogWays();
  writeFileSync(ways.syslog, '');
  await ways.engine.start();
});

afterEach(async () => ways.close());

async function start(changes: (one: Case) => Partial<FakeContainer>): Promise<void> {
  const containers = cases.map((one, n): FakeContainer => ({
    id: one.id,
    name: one.jail,
    labels: { 'fail2ban.jail': one.jail, 'fail2ban.maxretry': '1000' },
    ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: String(8000 + n) }] },
    ...changes(one),
  }));
  await ways.start(containers);
  await ways.sees('ready');
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

/** All lines are read: the sender counts as often as is said, and nobody else does. */
async function expectSenders(
  of: readonly Case[],
  times = ({ counts }: Case): number => counts,
): Promise<void> {
  const missing = (): string[] => {
    const { counts } = found();
    return of
      .filter((one) => (counts[one.jail] ?? 0) < times(one))
      .map((one) => `${one.jail}: ${counts[one.jail] ?? 0} of ${times(one)}`);
  };
  await vi.waitUntil(() => missing().length === 0, { timeout: 60_000, interval: 50 }).catch(() => undefined);
  expect({ others: found().others, missing: missing() }).toEqual({ others: [], missing: [] });
}

/** As Docker's driver cuts a line and, with fewer bytes, a daemon truncates each piece. */
function piecesOf(text: string, bytes: number = pieceBytes): string[] {
  const line = Buffer.from(text);
  const pieces: string[] = [];
  for (let at = 0; at < line.length; at += pieceBytes)
    pieces.push(line.subarray(at, Math.min(at + bytes, at + pieceBytes)).toString());
  return pieces;
}

/** In Docker's copy. */
function copy({ id, lines }: Case): void {
  const at = BigInt(Date.now()) * 1_000_000n;
  for (const [n, { stream, text }] of lines.entries())
    ways.logs.log(id, ...messagesOf(stream, at + BigInt(n), text));
}

describe(
  'a client counts, and nobody else does, when lines are cut where their sources cut',
  { timeout: 150_000 },
  () => {
    it("Docker's log API", async () => {
      await start(() => ({ logDriver: 'json-file' }));
      longCases.forEach(copy);
      await expectSenders(longCases);
    });

    it.each([pieceBytes, rsyslogBytes])(
      'a syslog file with records of %i bytes, beside Docker’s own copy',
      async (bytes) => {
        await start(({ jail }) => ({ logDriver: 'syslog', logOptions: { tag: jail } }));
        for (const one of cases) {
          copy(one);
          const records = one.lines.flatMap(({ text }) => piecesOf(text, bytes));
          record(one, records);
        }
        await expectSenders(cases);
      },
    );

    it.each(['unix', 'tcp', 'udp'] as const)(
      'our receiver by %s, beside Docker’s own copy',
      async (transport) => {
        const sent = transport === 'tcp' ? longCases : cases;
        const address = ways.listen(transport);
        await start(({ jail }) => ({
          logDriver: 'syslog',
          logOptions: { tag: jail, 'syslog-address': address },
        }));
        const syslog = await SyslogSender.open(address);
        for (const one of sent) {
          copy(one);
          await send(syslog, one);
        }
        await expectSenders(sent);
        syslog.close();
      },
    );

    it.each([
      ['numbered', 'id'],
      ['marked, all but the last', undefined],
    ])('the journal, with pieces that are %s', async (_, id) => {
      const logged = id === undefined ? cases : longCases;
      await start(() => ({ logDriver: 'journald' }));
      const run = await vi.waitUntil(() => ways.journal.runs[0], { timeout: 20_000 });
      for (const one of logged)
        run.print(...one.lines.flatMap((line, n) => entriesOf(one, line, id && `${id}${n}`)));
      await expectSenders(logged);
    });

    it('a log file', async () => {
      const path = (jail: string): string => join(ways.folder, `${jail}.log`);
      for (const { jail } of longCases) writeFileSync(path(jail), '');
      mkdirSync(join(ways.folder, 'fail2ban'));
      const section = (jail: string): string =>
        `[${jail}]\nenabled = true\nlogpath = ${path(jail)}\nmaxretry = 1000\nport = 8000\n`;
      const sections = longCases.map(({ jail }) => section(jail));
      writeFileSync(join(ways.folder, 'fail2ban/jail.local'), sections.join(''));
      await ways.start([]);
      await ways.sees('ready');
      for (const { jail, lines } of longCases)
        appendFileSync(path(jail), lines.map(({ text }) => `${text}\n`).join(''));
      await expectSenders(longCases);
    });
  },
);

/** Short lines count: the first, which stands before any long one, and those that are logged when it is long over. */
describe(
  'where Docker keeps no copy, nobody else counts, and the sender by short lines',
  { timeout: 150_000 },
  () => {
    const uncopied = { 'cache-disabled': 'true' };
    const later = 10_000;
    const two = (): number => 2;

    it.each([pieceBytes, rsyslogBytes])('a syslog file with records of %i bytes', async (bytes) => {
      await start(({ jail }) => ({ logDriver: 'syslog', logOptions: { tag: jail, ...uncopied } }));
      for (const one of cases) {
        record(
          one,
          one.lines.flatMap(({ text }) => piecesOf(text, bytes)),
        );
        record(one, [one.sure.text, one.sure.text], later);
      }
      await expectSenders(cases, two);
    });

    it.each(['unix', 'tcp'] as const)('our receiver by %s', async (transport) => {
      const address = ways.listen(transport);
      await start(({ jail }) => ({
        logDriver: 'syslog',
        logOptions: { tag: jail, 'syslog-address': address, ...uncopied },
      }));
      const syslog = await SyslogSender.open(address);
      for (const one of cases) {
        await send(syslog, one);
        await send(syslog, { ...one, lines: [one.sure, one.sure] }, later);
      }
      await expectSenders(cases, two);
      syslog.close();
    });
  },
);

function record({ jail }: Case, records: readonly string[], later = 0): void {
  const stamp = new Date(Date.now() + later).toISOString();
  appendFileSync(ways.syslog, records.map((text) => `${stamp} host ${jail}[1]: ${text}\n`).join(''));
}

async function send(syslog: SyslogSender, { jail, lines }: Case, later = 0): Promise<void> {
  const at = Date.now() + later;
  for (const { stream, text } of lines)
    for (const piece of piecesOf(text)) await syslog.send(syslogFrame(jail, piece, { stream, at }));
}

/** As Docker's driver logs a line. @param id of the line, where the engine numbers pieces */
function entriesOf({ id: container, jail }: Case, { stream, text }: Case['sure'], id?: string): object[] {
  const pieces = piecesOf(text);
  return pieces.map((piece, n) => {
    serial += 1;
    const micros = Date.now() * 1000 + serial;
    const isLast = n === pieces.length - 1;
    const part =
      id === undefined
        ? !isLast && { CONTAINER_PARTIAL_MESSAGE: 'true' }
        : pieces.length > 1 && {
            ...(!isLast && { CONTAINER_PARTIAL_MESSAGE: 'true' }),
            CONTAINER_PARTIAL_ID: id,
            CONTAINER_PARTIAL_ORDINAL: String(n + 1),
            CONTAINER_PARTIAL_LAST: String(isLast),
          };
    return {
      __CURSOR: `s=1;i=${serial};t=${micros.toString(16)}`,
      __REALTIME_TIMESTAMP: String(micros),
      _UID: '0',
      CONTAINER_ID_FULL: container,
      SYSLOG_IDENTIFIER: jail,
      PRIORITY: stream === 2 ? '3' : '6',
      MESSAGE: piece,
      ...part,
    };
  });
}
let serial = 0;

it('the lines bring the victim with them', () => {
  const bringing = longCases.flatMap(({ lines }) => lines).filter(({ text }) => text.includes(victim));
  expect(bringing.length).toBeGreaterThan(50);
});
