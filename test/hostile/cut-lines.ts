import { filterNames } from '../builtin/builtin-filters.ts';
import { idOf } from '../docker/fake-engine.ts';
import type { HostileRecord } from './record.ts';
import { hostileRecords } from './records.ts';
import { recordsOf, victim } from './texts.ts';

/** A line that a container's program writes to standard output, 1, or standard error, 2. */
export interface ProgramLine {
  readonly stream: 1 | 2;
  readonly text: string;
}

/** A jail that is never done counting, and what comes to its container's log. */
export interface Case {
  readonly jail: string;
  /** The container's. */
  readonly id: string;
  readonly lines: readonly ProgramLine[];
  /** A short one that counts against the sender, whatever stands before it; it is the first and the last of the lines. */
  readonly sure: ProgramLine;
  /** How many of the lines count against the sender, whatever the client sent. */
  readonly counts: number;
}

/** Docker cuts lines into pieces of so many bytes. */
export const pieceBytes = 16_384;
/** Where rsyslog truncates a record, and Docker cuts. */
const cuts = [8192, pieceBytes, 2 * pieceBytes];
/** About the 64 KiB at which other sources and our receiver cut, and above. */
const further = [65_535, 65_536, 65_537, 70_000];
/** Of a line above 256 KiB, its end that is kept. */
const tailBytes = 65_536;
const longest = 300 * 1024;
const mostWhole = 256 * 1024;
/** Whose clients can send that much, and count all the same. */
const countsAbove: ReadonlySet<string> = new Set(['caddy', 'traefik', 'jellyfin']);

/** What is brought begins at an offset of the line; behind it are so many characters. */
function lineWith({ line }: HostileRecord, brought: string, at: number, behind = 300): string {
  const begin = Math.max(0, line('qqqq').indexOf('qqqq'));
  return line(`${'a'.repeat(Math.max(0, at - begin))}${brought}${'b'.repeat(behind)}`);
}

/** What is brought begins where the end begins that is kept of a line. */
function lineWithTail(record: HostileRecord, brought: string): string {
  const at = longest - tailBytes;
  const behind = lineWith(record, brought, at, 0).length - at;
  return lineWith(record, brought, at, Math.max(0, tailBytes - behind));
}

/**
 * Each of a jail's records with texts of which a piece is a record by itself where sources cut.
 * @param isLong with lines about 64 KiB and above 256 KiB, too
 */
async function caseOf(jail: string, n: number, isLong: boolean): Promise<Case> {
  const [brought = ''] = await recordsOf(jail);
  const cutOff = `${brought.slice(0, brought.indexOf(victim) + victim.length)} - `;
  const records = hostileRecords[jail]!;
  const streamOf = ({ stream }: HostileRecord): 1 | 2 => (stream === 'stderr' ? 2 : 1);
  const certain = records.find(({ counts }) => counts === 'normal')!;
  const sure: ProgramLine = { stream: streamOf(certain), text: certain.line('x') };
  const lines = [sure];
  let counts = 2;
  for (const record of records) {
    const { counts: mode, most = Infinity, longest: programsLongest = Infinity } = record;
    if (most < Infinity) continue;
    const texts = [
      ...cuts.flatMap((at) => [brought, cutOff].map((text) => lineWith(record, text, at))),
      ...(isLong ? further.map((at) => lineWith(record, brought, at)) : []),
      ...(isLong ? [lineWithTail(record, brought)] : []),
    ];
    for (const text of texts) {
      if (text.includes('\n') || text.length >= programsLongest - 1) continue;
      lines.push({ stream: streamOf(record), text });
      if (mode === 'normal' && (text.length <= mostWhole || countsAbove.has(jail))) counts += 1;
    }
  }
  lines.push(sure);
  return { jail, id: idOf(n.toString(16).padStart(2, '0')), lines, sure, counts };
}

const jails = filterNames.filter((name) => name !== 'recidive');
const casesOf = (isLong: boolean): Promise<Case[]> =>
  Promise.all(jails.map((jail, n) => caseOf(jail, n + 16, isLong)));

/** One for every filter but recidive's, which reads no program's log: lines of up to three pieces. */
export const cases = await casesOf(false);
/** With lines of up to 300 KiB. */
export const longCases = await casesOf(true);
