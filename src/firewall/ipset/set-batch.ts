import { familyOf, type Family } from '../../net/address.ts';
import { addLine, createLine, delLine, replacementLines } from './ipset-text.ts';
import { allSet, jailSet } from '../bans/set-names.ts';

/**
 * The lines of one batch, in an order in which the set of all addresses holds at every moment whatever a jail's set holds,
 * and grouped by set, since the kernel takes such lines in one message.
 */
export class SetBatch {
  readonly #replacements: string[] = [];
  readonly #created = new Map<string, Family>();
  readonly #used = new Map<string, Family>();
  readonly #jails = new Set<string | undefined>();
  readonly #jailAdds = new Map<string, string[]>();
  readonly #allAdds = new Map<string, string[]>();
  readonly #jailDels = new Map<string, string[]>();
  readonly #allDels = new Map<string, string[]>();

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
    const [set, lines] = this.#lines(jail, ip, this.#jailAdds, this.#allAdds);
    lines.push(addLine(set, ip, timeout));
  }

  del(jail: string | undefined, ip: string): void {
    const [set, lines] = this.#lines(jail, ip, this.#jailDels, this.#allDels);
    lines.push(delLine(set, ip));
  }

  /** The jails whose sets it writes to; undefined stands for the sets of all addresses. */
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

  #lines(
    jail: string | undefined,
    ip: string,
    ofJails: Map<string, string[]>,
    ofAll: Map<string, string[]>,
  ): [string, string[]] {
    const family = familyOf(ip);
    const set = jail === undefined ? allSet(family) : jailSet(jail, family);
    this.#used.set(set, family);
    this.#jails.add(jail);
    const group = jail === undefined ? ofAll : ofJails;
    const lines = group.get(set) ?? [];
    group.set(set, lines);
    return [set, lines];
  }
}

function createLines(sets: ReadonlyMap<string, Family>): string[] {
  return Array.from(sets, ([set, family]) => createLine(set, family));
}
