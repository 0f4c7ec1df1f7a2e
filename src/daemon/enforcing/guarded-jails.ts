import * as z from 'zod';
import type { GuardedJail } from '../../firewall/firewall.ts';
import { closes, directPath } from './remembered-closes.ts';
import { entriesOf, salvaged } from './salvaged.ts';

const guardedJail = z.object({
  name: z.string(),
  closes,
  blocktype: z.enum(['drop', 'reject']).catch('drop'),
  direct: salvaged(directPath).optional(),
});

/** Reads what jails closed from the text that was remembered, as far as it can be read. */
export function readGuardedJails(text: string): readonly GuardedJail[] {
  return entriesOf(guardedJail, text).map(({ direct, ...jail }) => ({ ...jail, ...(direct && { direct }) }));
}
