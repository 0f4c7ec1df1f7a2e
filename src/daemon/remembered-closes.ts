import { isIP } from 'node:net';
import * as z from 'zod';
import { canonicalAddress } from '../address.ts';
import type { ClosedPort } from '../config/jail-spec.ts';

const port = z.int().min(1).max(65_535);

/** A port of this host that was closed, as it was remembered. */
export const closedPort = z
  .object({
    protocol: z.enum(['tcp', 'udp', 'sctp']),
    first: port,
    last: port,
    hostAddress: z
      .string()
      .refine((text) => isIP(text) > 0)
      .optional(),
  })
  .transform(({ hostAddress, ...rest }): ClosedPort => ({ ...rest, hostAddress }));

export const closes = z.union([z.literal('all'), z.array(closedPort)]);

/** Where a container stands in a local network by itself, as it was remembered. */
export const directPath = z.object({
  parent: z.string().regex(/^[\w.-]{1,15}$/),
  addresses: z
    .array(z.string())
    .nonempty()
    .refine((texts) => texts.every((text) => canonicalAddress(text) === text)),
  closes,
});
