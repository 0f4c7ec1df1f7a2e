import { canonicalAddress } from '../../net/address.ts';
import { FirewallError } from '../tool/errors.ts';
import type { Repair } from '../firewall.ts';
import { netdevTable } from './ingress-layout.ts';

/** Our table at ingress, as nft lists it. */
export interface NetdevListing {
  /**
   * `table`, `set NAME`, `chain NAME` → everything about it with its handles, but without elements and counts, as text to compare. Empty:
   * it isn't there.
   */
  readonly blocks: ReadonlyMap<string, string>;
  /** Set → address → seconds left, 0 for ever. Of no use if elements were not listed. */
  readonly members: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Parses `nft -j list …`, with or without elements (`-t`). Other tables, and what nobody knows, are passed over.
 * @throws FirewallError if it is no listing at all
 */
export function parseNetdevListing(text: string): NetdevListing {
  const blocks = new Map<string, string>();
  const members = new Map<string, ReadonlyMap<string, number>>();
  for (const object of objectsIn(text)) {
    const [kind = '', fields] = Object.entries(object)[0] ?? [];
    if (!isFields(fields)) continue;
    const { family, table, name, chain } = fields;
    if (`${String(family)} ${String(kind === 'table' ? name : table)}` !== netdevTable) continue;
    if (kind === 'table') blocks.set(kind, comparable(fields));
    if (kind === 'set' || kind === 'chain') blocks.set(`${kind} ${String(name)}`, comparable(fields));
    if (kind === 'set') members.set(String(name), membersIn(fields['elem']));
    if (kind === 'rule') {
      const block = `chain ${String(chain)}`;
      blocks.set(block, `${blocks.get(block) ?? ''}\n${comparable(fields)}`);
    }
  }
  return { blocks, members };
}

/** What somebody did to the table since it was written. Handles tell what was made anew, although it looks the same. */
export function netdevAlterations(
  written: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): Repair[] {
  if (found.size === 0) return [repair('table', `table ${netdevTable} was missing`)];
  const lost = [...written].flatMap(([block, text]) => {
    const now = found.get(block);
    if (now === text) return [];
    return [
      repair(kindOf(block), `${titleOf(block)} ${now === undefined ? 'was missing' : 'had been changed'}`),
    ];
  });
  const strange = [...found.keys()].filter((block) => !written.has(block));
  return [
    ...lost,
    ...strange.map((block) => repair(kindOf(block), `${titleOf(block)} did not belong there`)),
  ];
}

function repair(what: Repair['what'], detail: string): Repair {
  return { what, family: undefined, detail };
}

function kindOf(block: string): Repair['what'] {
  return block.startsWith('set ') ? 'set' : block === 'table' ? 'table' : 'chain';
}

function titleOf(block: string): string {
  return block === 'table' ? `table ${netdevTable}` : `${block} of table ${netdevTable}`;
}

function objectsIn(text: string): Fields[] {
  try {
    const listing: unknown = JSON.parse(text);
    if (isFields(listing) && Array.isArray(listing['nftables'])) return listing['nftables'].filter(isFields);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new FirewallError(
    'firewall-failed',
    `nft lists rules in a way that is not known: ${text.slice(0, 100)}`,
  );
}

/** What changes by itself. */
const volatile = new Set(['elem', 'packets', 'bytes', 'count']);

function comparable(fields: Fields): string {
  return JSON.stringify(fields, (key, value: unknown) => (volatile.has(key) ? undefined : value));
}

/** Reads `["203.0.113.9", {"elem": {"val": "203.0.113.10", "timeout": 600, "expires": 598}}]`. */
function membersIn(elements: unknown): ReadonlyMap<string, number> {
  const members = new Map<string, number>();
  for (const element of Array.isArray(elements) ? (elements as readonly unknown[]) : []) {
    const fields = isFields(element) && isFields(element['elem']) ? element['elem'] : undefined;
    const text = fields ? fields['val'] : element;
    const address = typeof text === 'string' ? canonicalAddress(text) : undefined;
    if (address === undefined) continue;
    const seconds = fields?.['expires'];
    members.set(address, typeof seconds === 'number' ? Math.max(1, seconds) : 0);
  }
  return members;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
