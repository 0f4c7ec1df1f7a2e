import type { JailSpec } from '../../src/config/jail-spec.ts';
import type { BanCounts } from '../../src/jail/ban-counts.ts';
import { Jail } from '../../src/jail/jail.ts';
import type { StoredBan } from '../../src/store/stored-ban.ts';
import { StoredHistory } from '../../src/store/stored-history.ts';

/** The store's history of bans over a day, without a database. */
export function newHistory(): BanCounts {
  const bans = new Map<string, StoredBan>();
  const remembered = {
    of: (ip: string) => [...bans.values()].filter((ban) => ban.ip === ip),
    get: (jail: string, ip: string) => bans.get(`${jail} ${ip}`),
    put: (ban: StoredBan) => void bans.set(`${ban.jail} ${ban.ip}`, ban),
  };
  return new StoredHistory(remembered, 86_400_000);
}

export function newJail(spec: JailSpec, history = newHistory(), random?: () => number): Jail {
  return new Jail(spec, history, random);
}
