import { stampOf } from '../../test/sources/docker/fake-container-log.ts';

const stampLength = 30;
const headerLength = 8;

/** How a log has its lines: each in a frame of Docker's log API; as a syslog daemon writes what `program` logs; as they are. */
export type LogForm = 'docker' | { readonly program: string } | 'bare';

/** Lines of a log, to be written again and again with the time of each writing. */
export class Piece {
  readonly #bytes: Buffer;
  /** Where timestamps are to be put. */
  readonly #stamps: readonly number[];

  constructor(lines: readonly string[], form: LogForm) {
    const stamps: number[] = [];
    let length = 0;
    const parts = lines.map((line) => {
      const bytes = partOf(line, form);
      if (form !== 'bare') stamps.push(length + (form === 'docker' ? headerLength : 0));
      length += bytes.length;
      return bytes;
    });
    this.#bytes = Buffer.concat(parts);
    this.#stamps = stamps;
  }

  stamped(): Buffer {
    const stamp = Buffer.from(stampOf(BigInt(Date.now()) * 1_000_000n));
    const bytes = Buffer.from(this.#bytes);
    for (const at of this.#stamps) stamp.copy(bytes, at);
    return bytes;
  }
}

function partOf(line: string, form: LogForm): Buffer {
  if (form === 'bare') return Buffer.from(`${line}\n`);
  const room = ' '.repeat(stampLength);
  if (form !== 'docker') return Buffer.from(`${room} host ${form.program}[7]: ${line}\n`);
  const payload = Buffer.from(`${room} ${line}\n`);
  const header = Buffer.alloc(headerLength);
  header[0] = 1;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}
