import { z } from 'zod';
import { canonicalAddress, canonicalPrefix } from '../net/address.ts';
import { Dock2banError, messageOf } from '../errors.ts';
import type { TransferredBan } from './api.ts';

/** At most this many addresses and prefixes in one request. */
const mostAddresses = 10_000;
/** Entries of any other list in one request. */
const mostEntries = 1000;
/** Bans of one import. */
const mostBans = 2000;
/** Characters of an option's value, as of a label's. */
const longestValue = 16_384;
/** Characters of a line. */
const longestLine = 65_536;

const notAddress = 'is no IP address or prefix (192.0.2.7, 192.0.2.0/24)';

/** A text that `read` makes canonical, or says of what is wrong with it. */
function canonical(read: (text: string) => { readonly ip: string } | { readonly wrong: string }) {
  return z.string().transform((text, context) => {
    const found = read(text);
    if ('ip' in found) return found.ip;
    context.addIssue({ code: 'custom', message: `'${text.slice(0, 100)}' ${found.wrong}` });
    return z.NEVER;
  });
}

/** An address or prefix that a ban can hold. */
const target = canonical((text) => {
  const ip = canonicalPrefix(text);
  if (ip === undefined) return { wrong: notAddress };
  return ip.endsWith('/0') ? { wrong: 'is every address; name a longer prefix' } : { ip };
});

const address = canonical((text) => {
  const ip = canonicalAddress(text);
  return ip === undefined ? { wrong: 'is no IP address' } : { ip };
});

export const banRequest = z.strictObject({
  jail: z.string(),
  ips: z.array(target).min(1).max(mostAddresses),
});

export const unbanRequest = z.strictObject({
  jail: z.string().optional(),
  ips: z.array(target).max(mostAddresses),
});

export const reloadRequest = z.strictObject({
  jail: z.string().min(1).max(200).optional(),
  restart: z.boolean().default(false),
});

const value = z.string().max(longestValue);
const values = z.array(value.min(1)).max(mostEntries).optional();
const indexes = z.array(z.int().min(0).max(1_000_000)).max(mostEntries).optional();

export const editRequest = z.strictObject({
  set: z.record(z.string().max(100), value).optional(),
  addignoreip: values,
  delignoreip: values,
  addfailregex: values,
  delfailregex: indexes,
  addignoreregex: values,
  delignoreregex: indexes,
});

export const attemptRequest = z.strictObject({
  ips: z.array(address).min(1).max(mostEntries),
  lines: z.array(z.string().max(longestLine)).max(mostEntries).default([]),
});

/** Each ban is looked at by itself. */
export const importRequest = z.strictObject({ bans: z.array(z.unknown()).min(1).max(mostBans) });

const time = z.iso.datetime({ offset: true });

/** A date beyond the year 9999, which has no such form, is for ever. */
const end = z
  .string()
  .nullable()
  .transform((text) => (text !== null && /^\+?\d{5,}-/.test(text) ? null : text))
  .pipe(time.nullable());

const ban: z.ZodType<TransferredBan> = z.strictObject({
  jail: z.string().regex(/^[^\s,[\]\p{C}]{1,100}$/u, 'is no name of a jail'),
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

/** A request's body. @throws Dock2banError `invalid-request` */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: string): z.infer<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new Dock2banError('invalid-request', `the body is no JSON: ${messageOf(cause)}`, { cause });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path ?? [];
  // What is wrong with one of `ips` names the address itself, which says more than its place.
  const where = path.length > 0 && !(path[0] === 'ips' && path.length > 1) ? path.join('.') : undefined;
  throw invalid(issue?.message ?? 'invalid', where);
}

/** An address or prefix of a path. @throws Dock2banError `invalid-request` */
export function addressOf(text: string): string {
  const ip = canonicalPrefix(text);
  if (ip === undefined) throw invalid(`'${text}' ${notAddress}`);
  return ip;
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
  if (unknown !== undefined) throw invalid('there is no such parameter', unknown);
  const follow = query.get('follow') ?? 'true';
  if (follow !== 'true' && follow !== 'false') throw invalid('it is true or false', 'follow');
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

function whole(name: string, text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || text === '') return undefined;
  if (/^\d{1,16}$/.test(text)) return Number(text);
  throw invalid(`'${text.slice(0, 100)}' is no whole number`, name);
}

function invalid(why: string, where?: string): Dock2banError {
  return new Dock2banError('invalid-request', where === undefined ? why : `${where}: ${why}`);
}
