import { readFail2banDatabase } from '../../src/store/fail2ban-database.ts';
import type { Store } from '../../src/store/store.ts';
import { isActive, merged } from '../../src/store/stored-ban.ts';

/** Takes over all of a fail2ban database, without a controller. @param now epoch milliseconds */
export function importFail2ban(
  path: string,
  store: Store,
  now: number,
  onSkipped: (reason: string) => void,
): { active: number; remembered: number; skipped: number } {
  const imported = { active: 0, remembered: 0, skipped: 0 };
  const skip = (reason: string): void => {
    imported.skipped += 1;
    onSkipped(reason);
  };
  for (const ban of readFail2banDatabase(path, now, skip)) {
    store.put(merged(ban, store.get(ban.jail, ban.ip)));
    imported[isActive(ban, now) ? 'active' : 'remembered'] += 1;
  }
  store.flush();
  return imported;
}
