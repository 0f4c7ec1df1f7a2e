import { isIP } from 'node:net';
import * as z from 'zod';
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

const guardedJails = z.array(
  z.object({
    name: z.string(),
    closes: z.union([z.literal('all'), z.array(closedPort)]),
    blocktype: z.enum(['drop', 'reject']),
  }),
);

/** Reads what jails closed from the text that was remembered; of one that isn't whole, nothing. */
export function readGuardedJails(text: string): readonly GuardedJail[] {
  try {
    return guardedJails.parse(JSON.parse(text)).map((jail) => ({
      ...jail,
      closes:
        jail.closes === 'all'
          ? jail.closes
          : jail.closes.map(({ hostAddress, ...rest }) => ({ ...rest, hostAddress })),
    }));
  } catch {
    return [];
  }
}
