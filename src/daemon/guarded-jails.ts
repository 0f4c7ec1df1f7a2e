import * as z from 'zod';
import type { GuardedJail } from '../firewall/firewall.ts';
import { closes, directPath } from './remembered-closes.ts';

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
    return guardedJails
      .parse(JSON.parse(text))
      .map(({ direct, ...jail }) => ({ ...jail, ...(direct && { direct }) }));
  } catch {
    return [];
  }
}
