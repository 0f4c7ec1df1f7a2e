import { z } from 'zod';
import { canonicalPrefix } from '../net/address.ts';
import { Dock2banError } from '../errors.ts';
import type { TransferredBan } from './view-api.ts';

const mostBans = 2000;

const jailName = z.string().regex(/^[^\s,[\]\p{C}]{1,100}$/u, 'is no name of a jail');

const target = z.string().transform((text, context) => {
  const ip = canonicalPrefix(text);
  if (ip !== undefined && !ip.endsWith('/0')) return ip;
  context.addIssue({
    code: 'custom',
    message: `'${text}' is no IP address or prefix that a ban can hold`,
  });
  return z.NEVER;
});

const time = z.iso.datetime({ offset: true });

/** A date beyond the year 9999, which has no such form, is for ever. */
const end = z
  .string()
  .nullable()
  .transform((text) => (text !== null && /^\+?\d{5,}-/.test(text) ? null : text))
  .pipe(time.nullable());

const ban: z.ZodType<TransferredBan> = z.strictObject({
  jail: jailName,
  ip: target,
  since: time,
  until: end,
  count: z.int().min(1).max(1_000_000),
  failures: z.int().min(1).max(1_000_000).nullable(),
  container: z.string().max(300).nullable(),
  lines: z.array(z.string().max(4096)).max(100),
  /** As the export says it; what counts is `until`. */
  active: z.boolean().optional(),
});

/** Each ban is looked at by itself. */
export const importRequest = z.strictObject({ bans: z.array(z.unknown()).min(1).max(mostBans) });

/** What of a request for an import can be taken, and why the rest can't. */
export function importable(entries: readonly unknown[]): {
  readonly bans: readonly TransferredBan[];
  readonly skipped: readonly string[];
} {
  const bans: TransferredBan[] = [];
  const skipped: string[] = [];
  for (const entry of entries) {
    const { success, data, error } = ban.safeParse(entry);
    if (success) bans.push(data);
    else {
      const [issue] = error.issues;
      skipped.push(`${nameOf(entry)}${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
    }
  }
  return { bans, skipped };
}

/** The address and jail that an entry names, as far as it does. */
function nameOf(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null) return '';
  const { jail, ip }: { jail?: unknown; ip?: unknown } = entry;
  const texts = [ip, jail].flatMap((text) => (typeof text === 'string' ? text.slice(0, 100) : []));
  return texts.length > 0 ? `${texts.join(' in ')}: ` : '';
}

/** Which events are wanted. */
export interface EventQuery {
  /** The id after which events are wanted; undefined: only those to come. */
  readonly since: number | undefined;
  /** Of the past events, at most so many. */
  readonly last: number | undefined;
  readonly jail: string | undefined;
  /** Whether the answer goes on with what comes. */
  readonly follow: boolean;
}

/**
 * `?since=ID&last=N&jail=J&follow=false`. A reader that connects again says by `Last-Event-ID` what it had last.
 * @throws Dock2banError `invalid-request`
 */
export function eventQuery(query: URLSearchParams, lastEventId: string | undefined): EventQuery {
  const unknown = [...query.keys()].find((key) => !['since', 'last', 'jail', 'follow'].includes(key));
  if (unknown !== undefined) throw invalid(unknown, 'there is no such parameter');
  const follow = query.get('follow') ?? 'true';
  if (follow !== 'true' && follow !== 'false') throw invalid('follow', 'it is true or false');
  const last = whole('last', query.get('last'));
  return {
    since:
      whole('Last-Event-ID', lastEventId) ??
      whole('since', query.get('since')) ??
      (last === undefined ? undefined : 0),
    last,
    jail: query.get('jail') ?? undefined,
    follow: follow === 'true',
  };
}

/** @throws Dock2banError `invalid-request` */
export function addressOf(text: string): string {
  const ip = canonicalPrefix(text);
  if (ip !== undefined) return ip;
  throw new Dock2banError(
    'invalid-request',
    `'${text}' is no IP address or prefix (192.0.2.7, 192.0.2.0/24)`,
  );
}

function whole(name: string, text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || text === '') return undefined;
  if (/^\d{1,16}$/.test(text)) return Number(text);
  throw invalid(name, `'${text.slice(0, 100)}' is no whole number`);
}

function invalid(name: string, why: string): Dock2banError {
  return new Dock2banError('invalid-request', `${name}: ${why}`);
}
