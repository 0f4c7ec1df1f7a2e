import { isIP } from 'node:net';
import * as z from 'zod';
import { canonicalAddress } from '../address.ts';
import type { Closes, DirectPath } from '../config/jail-spec.ts';
import type { GuardedJail } from '../firewall/firewall.ts';

const port = z.int().min(1).max(65_535);

const closedPort = z.object({
  protocol: z.enum(['tcp', 'udp', 'sctp']),
  first: port,
  last: port,
  hostAddress: z
    .string()
    .refine((text) => isIP(text) > 0)
    .optional(),
});

const closes = z.union([z.literal('all'), z.array(closedPort)]);

export const directPath = z.object({
  parent: z.string().regex(/^[\w.-]{1,15}$/),
  addresses: z
    .array(z.string())
    .nonempty()
    .refine((texts) => texts.every((text) => canonicalAddress(text) === text)),
  closes,
});

const guardedJails = z.array(
  z.object({
    name: z.string(),
    closes,
    blocktype: z.enum(['drop', 'reject']),
    direct: z.array(directPath).optional(),
  }),
);

/** Reads what jails closed from the text that was remembered; of one that isn't whole, nothing. */
export function readGuardedJails(text: string): readonly GuardedJail[] {
  try {
    return guardedJails.parse(JSON.parse(text)).map(({ direct, ...jail }) => ({
      ...jail,
      closes: withAddresses(jail.closes),
      ...(direct && { direct: direct.map(readPath) }),
    }));
  } catch {
    return [];
  }
}

export function readPath(path: z.infer<typeof directPath>): DirectPath {
  return { ...path, closes: withAddresses(path.closes) };
}

function withAddresses(read: z.infer<typeof closes>): Closes {
  return read === 'all' ? read : read.map(({ hostAddress, ...rest }) => ({ ...rest, hostAddress }));
}
