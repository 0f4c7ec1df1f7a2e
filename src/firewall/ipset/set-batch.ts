import { familyOf, type Family } from '../../net/address.ts';
import { addLine, createLine, delLine, replacementLines } from './ipset-text.ts';
import type { BanBatch } from '../bans/ban-book.ts';
import { allSet, jailSet } from '../bans/set-names.ts';

/**
 * The lines of one batch, in an order in which the union set holds at every moment whatever a jail's set holds,
 * and grouped by set, since the kernel takes such lines in one message.
 */
export class SetBatch implements BanBatch {
  readonly #families: readonly Family[];
  readonly #replacements: string[] = [];
  readonly #created = new Map<string, Family>();
  readonly #used = new Map<string, Family>();
  readonly #jails = new Set<string | undefined>();
  readonly #jailAdds = new Map<string, string[]>();
  readonly #allAdds = new Map<string, string[]>();
  readonly #jailDels = new Map<string, string[]>();
  readonly #allDels = new Map<string, string[]>();

  /** @param families of which there are sets: what is of another is left out */
  constructor(families: readonly Family[]) {
    this.#families = families;
  }

  /** Makes a set, whether or not it will be filled. */
  create(set: string, family: Family): void {
    this.#created.set(set, family);
  }

  /** Puts a set with these members (address or prefix, timeout in seconds) into the place of one of the same type, in one moment. */
  replace(set: string, family: Family, members: Iterable<readonly [ip: string, timeout: number]>): void {
    for (const line of replacementLines(set, family, members)) this.#replacements.push(line);
  }

  /** @param timeout seconds, 0 for ever */
  add(jail: string | undefined, ip: string, timeout: number): void {
    const set = this.#setOf(jail, ip);
    if (set !== undefined)
      push(jail === undefined ? this.#allAdds : this.#jailAdds, set, addLine(set, ip, timeout));
  }

  del(jail: string | undefined, ip: string): void {
    const set = this.#setOf(jail, ip);
    if (set !== undefined) push(jail === undefined ? this.#allDels : this.#jailDels, set, delLine(set, ip));
  }

  get jails(): ReadonlySet<string | undefined> {
    return this.#jails;
  }

  /** Makes the sets that are written to, should they be missing. */
  preparation(): string[] {
    return createLines(this.#used);
  }

  lines(): string[] {
    return [
      ...this.#replacements,
      ...createLines(this.#created),
      ...[this.#allAdds, this.#jailAdds, this.#jailDels, this.#allDels].flatMap((group) =>
        [...group.values()].flat(),
      ),
    ];
  }

  #setOf(jail: string | undefined, ip: string): string | undefined {
    const family = familyOf(ip);
    if (!this.#families.includes(family)) return undefined;
    const set = jail === undefined ? allSet(family) : jailSet(jail, family);
    this.#used.set(set, family);
    this.#jails.add(jail);
    return set;
  }
}

function push(groups: Map<string, string[]>, set: string, line: string): void {
  const lines = groups.get(set);
  if (lines) lines.push(line);
  else groups.set(set, [line]);
}

function createLines(sets: ReadonlyMap<string, Family>): string[] {
  return Array.from(sets, ([set, family]) => createLine(set, family));
}
