// Writes a log at a rate: `node writer.ts FILE LINES-PER-SECOND [PROGRAM]`; with a program, as a syslog daemon writes what it logs. Tells its
// parent every 100 ms what it has written; ends when it is killed.
import { openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Piece } from '../docker-log/piece.ts';
import { request } from '../docker-log/request.ts';

/** What was written so far. */
export interface Written {
  readonly lines: number;
  readonly bytes: number;
}

const linesOfPiece = 2_500;

if (import.meta.main) {
  const [path = '', rate = '', program] = process.argv.slice(2);
  const lines = Array.from({ length: linesOfPiece }, (_, n) => request(n));
  const piece = new Piece(lines, program === undefined ? 'bare' : { program });
  const file = openSync(path, 'a');
  const written = { lines: 0, bytes: 0 };
  process.on('disconnect', () => process.exit());
  setInterval(() => process.send!(written satisfies Written), 100);
  const begun = performance.now();
  for (;;) {
    const due = begun + (written.lines / Number(rate)) * 1000;
    // A turn of the loop in any case, for the word to the parent.
    await delay(Math.max(0, due - performance.now()));
    written.bytes += writeSync(file, piece.stamped());
    written.lines += linesOfPiece;
  }
}
