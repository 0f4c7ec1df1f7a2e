import { isIPv4, isIPv6 } from 'node:net';
import { canonicalAddress } from '../../net/address.ts';
import { FirewallError } from '../tool/errors.ts';

/** A set, apart from its elements. */
export interface ListedSet {
  readonly type: string;
  readonly flags: readonly string[];
  /** Whether it takes no more than so many elements. */
  readonly isLimited: boolean;
}

export interface ListedChain {
  /** Type, hook, device, priority and policy as they are written in a command; undefined: it is no base chain. */
  readonly hook: string | undefined;
  /** The expressions of each. */
  readonly rules: readonly (readonly Fields[])[];
}

/** A table as nft lists it. */
export interface Listing {
  /** `FAMILY NAME`. */
  readonly table: string;
  /**
   * `table`, `set NAME`, `chain NAME` → everything about it with its handles, but without elements and counts, as text to compare. Empty: there
   * is no such table.
   */
  readonly blocks: ReadonlyMap<string, string>;
  readonly sets: ReadonlyMap<string, ListedSet>;
  readonly chains: ReadonlyMap<string, ListedChain>;
  /** Set → address → seconds left, 0 for ever. Of no use if elements were not listed. */
  readonly members: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Whether it is switched off. */
  readonly isDormant: boolean;
}

/** An object of which nothing is known. */
export type Fields = Readonly<Record<string, unknown>>;

/** @param table `FAMILY NAME` */
export function emptyListing(table: string): Listing {
  return {
    table,
    blocks: new Map(),
    sets: new Map(),
    chains: new Map(),
    members: new Map(),
    isDormant: false,
  };
}

/**
 * Parses `nft -j list …`, with or without elements (`-t`). Other tables, and what nobody knows, are passed over.
 * @param table `FAMILY NAME`
 * @throws FirewallError if it is no listing at all
 */
export function parseListing(text: string, table: string): Listing {
  const listing = {
    table,
    blocks: new Map<string, string>(),
    sets: new Map<string, ListedSet>(),
    chains: new Map<string, { readonly hook: string | undefined; readonly rules: Fields[][] }>(),
    members: new Map<string, ReadonlyMap<string, number>>(),
    isDormant: false,
  };
  for (const object of objectsIn(text)) {
    const [kind, fields] = Object.entries(object)[0] ?? [];
    if (kind === undefined || !isFields(fields) || tableOf(kind, fields) !== table) continue;
    const name = textOf(fields.name);
    if (kind === 'table') {
      listing.blocks.set('table', comparable(fields));
      listing.isDormant = [fields.flags].flat().includes('dormant');
    }
    if (kind === 'set') {
      listing.blocks.set(`set ${name}`, comparable(fields));
      listing.sets.set(name, {
        type: textOf(fields.type),
        // Of one flag alone, newer versions don't make a list.
        flags: [fields.flags].flat().map(textOf),
        isLimited: fields.size !== undefined,
      });
      listing.members.set(name, membersIn(fields.elem));
    }
    if (kind === 'chain') {
      listing.blocks.set(`chain ${name}`, comparable(fields));
      listing.chains.set(name, { hook: hookOf(fields), rules: [] });
    }
    if (kind === 'rule') {
      const chain = textOf(fields.chain);
      listing.chains.get(chain)?.rules.push([fields.expr].flat().filter(isFields));
      listing.blocks.set(
        `chain ${chain}`,
        `${listing.blocks.get(`chain ${chain}`) ?? ''}\n${comparable(fields)}`,
      );
    }
  }
  return listing;
}

function objectsIn(text: string): Fields[] {
  try {
    const listing: unknown = JSON.parse(text);
    if (isFields(listing) && Array.isArray(listing.nftables)) return listing.nftables.filter(isFields);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new FirewallError(
    'firewall-failed',
    `nft lists rules in a way that is not known: ${text.slice(0, 100)}`,
  );
}

function tableOf(kind: string, { family, table, name }: Fields): string {
  return `${textOf(family)} ${textOf(kind === 'table' ? name : table)}`;
}

function hookOf(fields: Fields): string | undefined {
  if (fields.hook === undefined) return undefined;
  const [type, hook, priority, policy] = [fields.type, fields.hook, fields.prio, fields.policy].map(textOf);
  const device = fields.dev === undefined ? '' : ` device "${textOf([fields.dev].flat()[0])}"`;
  return `type ${type} hook ${hook}${device} priority ${priority}; policy ${policy};`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What changes by itself. */
const volatile = new Set(['elem', 'packets', 'bytes', 'count']);

function comparable(fields: Fields): string {
  return JSON.stringify(fields, (key, value: unknown) => (volatile.has(key) ? undefined : value));
}

/** The flowtables that `nft -j list flowtables` names, by `FAMILY TABLE NAME`. @throws FirewallError if it is no listing at all */
export function flowtablesIn(text: string): string[] {
  return objectsIn(text).flatMap(({ flowtable }) =>
    isFields(flowtable) ? [`${tableOf('flowtable', flowtable)} ${textOf(flowtable.name)}`] : [],
  );
}

/**
 * Reads the elements of one set from `nft -j list set …`: address and seconds left, 0 for ever. A large set is parsed piece by piece: what
 * JSON.parse makes of a hundred thousand elements at once costs more memory, and more time, than all that is done with them.
 * @throws FirewallError if it is no listing at all
 */
export function readMembers(
  text: string,
  table: string,
  set: string,
  take: (address: string, seconds: number) => void,
): void {
  const opening = '"elem": [';
  const start = text.indexOf(opening) + opening.length;
  let from = start;
  try {
    for (let end: number; start >= opening.length; from = end + betweenElements.length) {
      end = text.indexOf(betweenElements, from + pieceLength);
      if (end < 0) break;
      takeMembers(JSON.parse(`[${text.slice(from, end)}}}]`), take);
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Not written as expected; as a whole it may still be readable.
    from = start;
  }
  const rest = from === start ? text : text.slice(0, start) + text.slice(from);
  for (const [address, seconds] of parseListing(rest, table).members.get(set) ?? []) take(address, seconds);
}

/** Where one element with a timeout ends and another begins. */
const betweenElements = '}}, ';

/** Characters of a piece, at least. */
const pieceLength = 8000;

function membersIn(elements: unknown): ReadonlyMap<string, number> {
  const members = new Map<string, number>();
  takeMembers(elements, (address, seconds) => void members.set(address, seconds));
  return members;
}

/** Reads `["203.0.113.9", {"elem": {"val": "203.0.113.10", "timeout": 600, "expires": 598}}]`. */
function takeMembers(elements: unknown, take: (address: string, seconds: number) => void): void {
  for (const element of Array.isArray(elements) ? (elements as readonly unknown[]) : []) {
    const fields = isFields(element) && isFields(element.elem) ? element.elem : undefined;
    const text = fields ? fields.val : element;
    if (typeof text !== 'string') continue;
    const address = canonical(text);
    if (address === undefined) continue;
    const seconds = fields?.expires;
    take(address, typeof seconds === 'number' ? Math.max(1, seconds) : 0);
  }
}

function canonical(text: string): string | undefined {
  // The C library writes some IPv6 addresses with a dotted tail; RFC 5952's form has none.
  return isIPv4(text) || (isIPv6(text) && !text.includes('.')) ? text : canonicalAddress(text);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
