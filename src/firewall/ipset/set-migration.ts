import type { Family } from '../../net/address.ts';
import { isOurOld, isOurs, type SetHeader } from './ipset-text.ts';
import type { IpsetWriter } from './ipset-writer.ts';
import { SetBatch } from './set-batch.ts';
import { formerJailSet, jailSet, oldAllSet, oldJailSet } from '../bans/set-names.ts';

/**
 * Fills the sets of these jails from those that an earlier version kept while sets could hold no prefixes. Those stay: the rules
 * in the kernel refer to them, until rules are written that refer to the new ones.
 * @returns whether there was anything to move
 */
export async function moveOldSets(
  writer: IpsetWriter,
  headers: ReadonlyMap<string, SetHeader>,
  jails: readonly string[],
  families: readonly Family[],
): Promise<boolean> {
  const batch = new SetBatch();
  for (const jail of jails) {
    for (const family of families) {
      const old = oldJailSet(jail, family);
      const header = headers.get(old);
      if (!header || !isOurOld(header, family) || headers.has(jailSet(jail, family))) continue;
      for (const [ip, timeout] of await writer.members(old)) {
        batch.add(jail, ip, timeout);
        batch.add(undefined, ip, timeout);
      }
    }
  }
  const lines = batch.lines();
  await writer.write([...batch.preparation(), ...lines]);
  return lines.length > 0;
}

/** The sets of earlier versions, of these jails and of all addresses, that no rule refers to any more. */
export function abandonedSets(
  headers: ReadonlyMap<string, SetHeader>,
  jails: Iterable<string>,
  families: readonly Family[],
): string[] {
  const names = [...jails];
  const isAbandoned = (name: string, isLikeOurs: (header: SetHeader) => boolean): boolean => {
    const header = headers.get(name);
    return header?.references === 0 && isLikeOurs(header);
  };
  return families.flatMap((family) => {
    const present = new Set(names.map((jail) => jailSet(jail, family)));
    const old = [oldAllSet(family), ...names.map((jail) => oldJailSet(jail, family))];
    const former = names.map((jail) => formerJailSet(jail, family)).filter((name) => !present.has(name));
    return [
      ...old.filter((name) => isAbandoned(name, (header) => isOurOld(header, family))),
      ...new Set(former.filter((name) => isAbandoned(name, (header) => isOurs(header, family)))),
    ];
  });
}
