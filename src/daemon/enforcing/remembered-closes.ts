import { isIP } from 'node:net';
import * as z from 'zod';
import { canonicalAddress } from '../../net/address.ts';
import type { ClosedPort } from '../../config/jail-spec.ts';
import { salvaged } from './salvaged.ts';

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
  .refine(({ first, last }) => first <= last)
  .transform(({ hostAddress, ...rest }): ClosedPort => ({ ...rest, hostAddress }));

export const closes = z.union([z.literal('all'), salvaged(closedPort)]);

/** Where a container stands in a local network by itself, as it was remembered. */
export const directPath = z.object({
  parent: z.string().regex(/^[\w.-]{1,15}$/),
  addresses: salvaged(z.string().refine((text) => canonicalAddress(text) === text)).refine(
    (addresses) => addresses.length > 0,
  ),
  closes,
});
