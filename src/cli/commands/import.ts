import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ControlClient } from '../../control/client.ts';
import type { ImportResult, TransferredBan } from '../../control/api.ts';
import { Dock2banError, messageOf } from '../../errors.ts';
import { oneLine } from '../../text/plain-text.ts';
import { type Output, output } from '../output.ts';
import { exitCode } from '../exit-code.ts';
import { defineCommand } from '../command.ts';
import { withJson } from './options.ts';

/** A ban as a database of fail2ban's tells it. Times are epoch milliseconds. */
export interface ReadBan {
  readonly jail: string;
  readonly ip: string;
  readonly since: number;
  readonly until: number | undefined;
  readonly count: number;
  readonly failures: number | undefined;
  readonly container: string | undefined;
  readonly lines: readonly string[];
}

/** Reads a database of fail2ban's. @param now epoch milliseconds  @throws Dock2banError `import-unreadable` */
export type ReadDatabase = (
  path: string,
  now: number,
  onSkipped: (reason: string) => void,
) => Iterable<ReadBan>;

export interface ImportParts {
  readonly client: Pick<ControlClient, 'import'>;
  readonly readDatabase: ReadDatabase;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly output: Output;
}

/** Of one request: less than it can hold, so that the controller is done with it in some milliseconds. */
const most = { bans: 250, text: 256 * 1024, entry: 512 * 1024 } as const;
/** Bytes of an export. */
const largestExport = 256 * 1024 * 1024;
/** Reasons that are told of rows that are left out. */
const mostReasons = 10;
const sqliteMagic = 'SQLite format 3\0';

/**
 * `dock2ban import FILE`: takes over the bans in force and the history of fail2ban's database, or of an export. Doing it again
 * changes nothing. The file is read here, and the controller gets bans in small portions, so that it goes on matching.
 */
export async function importBans(file: string, json: boolean, parts: ImportParts): Promise<number> {
  const skipped: string[] = [];
  let skippedCount = 0;
  const skip = (reason: string): void => {
    skippedCount += 1;
    if (skipped.length < mostReasons) skipped.push(reason);
  };
  const sum = { active: 0, remembered: 0, enforced: 0, waiting: new Map<string, number>() };
  const refused: ImportResult['refused'][number][] = [];
  for (const bans of portions(await bansOf(file, parts, skip), skip)) {
    const result = await parts.client.import(bans);
    sum.active += result.active;
    sum.remembered += result.remembered;
    sum.enforced += result.enforced;
    for (const [jail, count] of Object.entries(result.waiting))
      sum.waiting.set(jail, (sum.waiting.get(jail) ?? 0) + count);
    refused.push(...result.refused);
    for (const reason of result.skipped) skip(reason);
  }
  const waiting = Object.fromEntries(sum.waiting);
  const { print, warn } = parts.output;
  if (json) {
    print(`${JSON.stringify({ ...sum, waiting, refused, skipped: skippedCount, reasons: skipped })}\n`);
    return exitCode.done;
  }
  print(
    `Imported: ${sum.active} active bans, ${sum.enforced} of them enforced now, and the history of ${sum.remembered} expired bans\n`,
  );
  for (const [jail, count] of sum.waiting)
    warn(`${count} bans wait for jail ${jail}, which does not run: they are enforced when it starts\n`);
  for (const { ip, reason } of refused.slice(0, mostReasons)) warn(`${ip}: ${oneLine(reason)}\n`);
  for (const reason of skipped) warn(`Left out: ${oneLine(reason)}\n`);
  const untold = Math.max(0, refused.length - mostReasons) + skippedCount - skipped.length;
  if (untold > 0) warn(`and ${untold} more\n`);
  return exitCode.done;
}

async function bansOf(
  file: string,
  { readDatabase, now }: ImportParts,
  skip: (reason: string) => void,
): Promise<Iterable<unknown>> {
  const bans = await readExport(file);
  return bans ?? Iterator.from(readDatabase(file, now(), skip)).map(transferred);
}

/** The entries of an export, of which the controller looks at each; undefined: it is a database. */
async function readExport(file: string): Promise<readonly unknown[] | undefined> {
  try {
    // A pipe is not waited for.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await handle.stat()).isFile()) throw new Error('it is no regular file');
    const bytes = await readWhole(handle);
    if (bytes === undefined) return undefined;
    const value: unknown = JSON.parse(bytes.toString());
    if (typeof value !== 'object' || value === null || !('export' in value) || !('bans' in value)) {
      throw new Error('it has no "export" and "bans"');
    }
    if (value.export !== 1) throw new Error('it was exported by a newer dock2ban');
    if (!Array.isArray(value.bans)) throw new Error('"bans" is no list');
    return value.bans;
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** Whatever a file says of its size, no more than an export can have is read; undefined: it is a database. */
async function readWhole(handle: FileHandle): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(1024 * 1024), 0, 1024 * 1024, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    if (length === 0 && buffer.toString('latin1', 0, bytesRead).startsWith(sqliteMagic)) return undefined;
    length += bytesRead;
    if (length > largestExport) throw new Error('it is larger than an export can be');
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

function unreadable(file: string, cause: unknown): Dock2banError {
  return new Dock2banError('import-unreadable', `${file} cannot be imported: ${messageOf(cause)}`, {
    fix: "name fail2ban's database (/var/lib/fail2ban/fail2ban.sqlite3), or a file made by dock2ban export",
    cause,
  });
}

function* portions(bans: Iterable<unknown>, skip: (reason: string) => void): Generator<unknown[]> {
  let portion: unknown[] = [];
  let text = 0;
  for (const ban of bans) {
    const length = lengthOf(ban);
    if (length > most.entry) {
      skip('an entry that is too large or too deep for a ban');
      continue;
    }
    if (portion.length >= most.bans || (portion.length > 0 && text + length > most.text)) {
      yield portion;
      portion = [];
      text = 0;
    }
    portion.push(ban);
    text += length;
  }
  if (portion.length > 0) yield portion;
}

/** Bytes of its JSON; Infinity: it is nested too deep for any. */
function lengthOf(ban: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(ban));
  } catch {
    return Infinity;
  }
}

function transferred({ jail, ip, since, until, count, failures, container, lines }: ReadBan): TransferredBan {
  return {
    jail,
    ip,
    since: new Date(since).toISOString(),
    until: until === undefined ? null : new Date(until).toISOString(),
    count,
    failures: failures ?? null,
    container: container ?? null,
    lines,
  };
}

export const command = defineCommand(
  'import <file>',
  "Import bans and history from fail2ban's database or an export",
  (parser) =>
    parser
      .options(withJson)
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: "fail2ban's database, or a file made by export",
      })
      .example('$0 import /var/lib/fail2ban/fail2ban.sqlite3', 'move over from fail2ban')
      .example('$0 import bans.json', 'what export wrote, here or on another host'),
  async (argv) => {
    const { readFail2banDatabase: readDatabase } = await import('../../store/fail2ban-database.ts');
    const client = new ControlClient(argv.socket);
    return importBans(argv.file, argv.json, { client, readDatabase, now: Date.now, output });
  },
);
