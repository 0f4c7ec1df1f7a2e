import * as z from 'zod';
import { canonicalAddress, canonicalPrefix } from '../../net/address.ts';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import { isBelievable } from '../../docker/network-snapshot.ts';
import type { NetworkSnapshot } from '../../docker/snapshot.ts';
import { prefixCover } from '../../net/prefix-cover.ts';
import { closedPort, directPath } from './remembered-closes.ts';
import { entriesOf, salvaged } from './salvaged.ts';

const prefix = z.string().refine((text) => canonicalPrefix(text) === text);
const text = z.string();

const access = z.object({
  container: text,
  closes: salvaged(closedPort),
  // Who alone is let in: without an entry that can't be read, it is closed to that one only.
  allow: salvaged(prefix).optional(),
  deny: salvaged(prefix).catch([]),
  awaited: z.literal(true).optional().catch(undefined),
  direct: salvaged(directPath).optional(),
});

const network = z.object({
  name: text,
  driver: text,
  subnets: salvaged(text.refine(isBelievable)),
  gateways: salvaged(text.refine((address) => canonicalAddress(address) === address)),
});

/** Reads what labels closed from the text that was remembered, as far as it can be read. */
export function readAccesses(note: string): readonly AccessSpec[] {
  return entriesOf(access, note).map(({ container, closes, allow, deny, awaited, direct }) => ({
    container,
    closes,
    allow: allow && prefixCover(allow),
    deny: prefixCover(deny),
    ...(awaited && { awaited }),
    ...(direct && { direct }),
  }));
}

/** Reads Docker's networks from the text that was remembered, as far as it can be read. */
export function readNetworks(note: string): readonly NetworkSnapshot[] {
  return entriesOf(network, note);
}
