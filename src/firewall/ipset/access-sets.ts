import type { WantedSet } from '../access/access-rules.ts';
import { FirewallError } from '../tool/errors.ts';
import type { Repair } from '../firewall.ts';
import { addLine, createLine, isOurs, replacementLines, type SetHeader } from './ipset-text.ts';
import type { IpsetWriter } from './ipset-writer.ts';
import { SetAudit } from '../bans/set-audit.ts';
import { isAccessSet } from '../bans/set-names.ts';

/** What a look at the sets of access rules came to. */
export interface AccessFindings {
  readonly repairs: readonly Repair[];
  /** Every set that there was, as far as is known: those that older rules refer to among them. */
  readonly present: ReadonlySet<string>;
  /** Sets that rules must not refer to, and why. */
  readonly unusable: ReadonlyMap<string, FirewallError>;
}

/**
 * Keeps the ipsets that access rules look into. A set never changes: it is named by what it holds, made before rules refer to it, and
 * destroyed when none does any more. Not for overlapping calls.
 */
export class AccessSets {
  readonly #now: () => number;
  readonly #audit = new SetAudit();
  /** Sets that were right once: what is wrong with them now was changed from outside. */
  readonly #settled = new Set<string>();
  /** Sets that are not needed any more. Undefined: it isn't known which, as before the first look. */
  #left: readonly string[] | undefined;

  /** @param now epoch milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** They have been destroyed. */
  forget(): void {
    this.#settled.clear();
    this.#left = undefined;
  }

  /** If sets can't be read or written at all, those that were right before count as such: rules that are in force may stay so. */
  async reconcile(writer: IpsetWriter, wanted: ReadonlyMap<string, WantedSet>): Promise<AccessFindings> {
    try {
      return await this.#reconcile(writer, wanted);
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
      const unknown = [...wanted.keys()].filter((name) => !this.#settled.has(name));
      return {
        repairs: [],
        present: this.#settled,
        unusable: new Map(unknown.map((name) => [name, error])),
      };
    }
  }

  async #reconcile(writer: IpsetWriter, wanted: ReadonlyMap<string, WantedSet>): Promise<AccessFindings> {
    if (wanted.size === 0 && this.#settled.size === 0 && this.#left?.length === 0)
      return { repairs: [], present: new Set(), unusable: new Map() };
    const headers = await writer.headers();
    const repairs: Repair[] = [];
    const unusable = new Map<string, FirewallError>();
    const lines: string[] = [];
    const present = [...wanted.keys()].filter((name) => headers.has(name));
    const audited = this.#audit.next(present, (name) => wanted.get(name)!.members.length, this.#now());
    for (const [name, { family, members }] of wanted) {
      const header = headers.get(name);
      if (header && !isOurs(header, family)) {
        unusable.set(name, foreign(name, header));
        continue;
      }
      const isRight =
        header?.entries === members.length && (name !== audited || (await holds(writer, name, members)));
      if (isRight) continue;
      if (!header) lines.push(createLine(name, family), ...members.map((ip) => addLine(name, ip, 0)));
      else lines.push(...replacementLines(name, family, new Map(members.map((ip) => [ip, 0]))));
      if (!this.#settled.has(name)) continue;
      const detail = header ? `set ${name} had been changed` : `set ${name} was missing`;
      repairs.push({ what: header ? 'members' : 'set', family, detail });
    }
    this.#left = [...headers.keys()].filter((name) => isAccessSet(name) && !wanted.has(name));
    const refused = await writer.write(lines);
    for (const { line, error } of refused) {
      const [, set = ''] = line.split(' ');
      // Lines for the interim set of a replacement don't tell for which one.
      for (const name of wanted.has(set) ? [set] : wanted.keys()) unusable.set(name, error);
    }
    if (unusable.size > 0) this.#left = undefined;
    for (const name of this.#settled) if (!wanted.has(name) && !headers.has(name)) this.#settled.delete(name);
    for (const name of wanted.keys()) if (!unusable.has(name)) this.#settled.add(name);
    return { repairs, present: new Set(headers.keys()), unusable };
  }

  /** Destroys the sets that are not needed any more; those that rules still refer to, some other time. */
  async sweep(writer: IpsetWriter): Promise<void> {
    if (!this.#left || this.#left.length === 0) return;
    const left = new Set(this.#left);
    try {
      const refused = await writer.write([...left].map((name) => `destroy ${name}`));
      for (const { line, error } of refused)
        if (error.code === 'firewall-in-use') left.delete(line.split(' ')[1]!);
      for (const name of left) this.#settled.delete(name);
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
    }
    // A look will tell which of them are still there.
    this.#left = undefined;
  }
}

async function holds(writer: IpsetWriter, set: string, members: readonly string[]): Promise<boolean> {
  const held = new Map(await writer.members(set));
  return held.size === members.length && members.every((ip) => held.get(ip) === 0);
}

function foreign(name: string, { type, options }: SetHeader): FirewallError {
  return new FirewallError('firewall-set-type', `set ${name} is not ours: ${type} ${options}`, {
    fix: `remove it: ipset destroy ${name}`,
  });
}
