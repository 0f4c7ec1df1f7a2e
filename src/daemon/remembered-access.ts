import * as z from 'zod';
import { canonicalPrefix } from '../address.ts';
import type { AccessSpec } from '../config/access-spec.ts';
import type { NetworkSnapshot } from '../docker/snapshot.ts';
import { prefixCover } from '../prefix-cover.ts';
import { closedPort, directPath } from './remembered-closes.ts';

const prefix = z.string().refine((text) => canonicalPrefix(text) === text);
const text = z.string();

const accesses = z.array(
  z.object({
    container: text,
    closes: z.array(closedPort),
    allow: z.array(prefix).optional(),
    deny: z.array(prefix),
    awaited: z.literal(true).optional(),
    direct: z.array(directPath).optional(),
  }),
);

const networks = z.array(
  z.object({ name: text, driver: text, subnets: z.array(text), gateways: z.array(text) }),
);

/** Reads what labels closed from the text that was remembered; of one that isn't whole, nothing. */
export function readAccesses(note: string): readonly AccessSpec[] {
  return (read(accesses, note) ?? []).map(({ container, closes, allow, deny, awaited, direct }) => ({
    container,
    closes,
    allow: allow && prefixCover(allow),
    deny: prefixCover(deny),
    ...(awaited && { awaited }),
    ...(direct && { direct }),
  }));
}

/** Reads Docker's networks from the text that was remembered; of one that isn't whole, nothing. */
export function readNetworks(note: string): readonly NetworkSnapshot[] {
  return read(networks, note) ?? [];
}

function read<Value>(schema: z.ZodType<Value>, note: string): Value | undefined {
  try {
    return schema.parse(JSON.parse(note));
  } catch {
    return undefined;
  }
}
