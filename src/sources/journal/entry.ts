/** An entry of the journal, with the fields that were asked for. */
export interface JournalEntry {
  readonly cursor: string;
  /** When journald took it: epoch microseconds. */
  readonly received: number;
  /** Most fields have one value; whoever logs may give several. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

/** Who logs containers' lines. */
const root = '0';

/**
 * Reads a line of `journalctl --output=json`. Values are strings, arrays of bytes for what isn't printable text, null for
 * what is too large, or arrays of these for fields that were given several times (systemd, src/shared/logs-show.c).
 *
 * Any process may send any field that doesn't begin with an underscore: the fields `CONTAINER_…` of a process that isn't
 * root's, as Docker's engine is, are left out. Undefined: it is no entry.
 */
export function parseJournalEntry(line: string): JournalEntry | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const fields = new Map<string, string[]>();
  for (const [name, value] of Object.entries(json)) {
    const values = valuesOf(value);
    if (values.length > 0) fields.set(name, values);
  }
  const cursor = fields.get('__CURSOR')?.[0];
  const received = Number(fields.get('__REALTIME_TIMESTAMP')?.[0]);
  if (cursor === undefined || !Number.isSafeInteger(received)) return undefined;
  const user = fields.get('_UID');
  if (user && user.some((id) => id !== root)) {
    for (const name of fields.keys()) if (name.startsWith('CONTAINER_')) fields.delete(name);
  }
  return { cursor, received, fields };
}

function valuesOf(value: unknown): string[] {
  if (!Array.isArray(value) || isBytes(value)) return textOf(value);
  return value.flatMap(textOf);
}

function textOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return isBytes(value) ? [Buffer.from(value).toString('utf8')] : [];
}

function isBytes(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((byte) => typeof byte === 'number');
}
