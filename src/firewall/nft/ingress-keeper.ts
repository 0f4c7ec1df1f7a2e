import type { Family } from '../../net/address.ts';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { Ban } from '../../jail/ban.ts';
import { BanRequests, type Request } from '../bans/ban-requests.ts';
import { FirewallError } from '../tool/errors.ts';
import type { Tools } from '../tool/exec.ts';
import type { BanKey, GuardedJail, Refusal, Repair, Shortfall } from '../firewall.ts';
import { directFamilies, netdevLayout, netdevLines, type NetdevLayout } from './ingress-layout.ts';
import { netdevAlterations, type NetdevListing } from './ingress-listing.ts';
import {
  compareNetdevMembers,
  elementChanges,
  netdevMembers,
  netdevPlaces,
  type Changes,
} from './ingress-members.ts';
import { failedShortfalls, missingShortfalls } from './ingress-shortfalls.ts';
import {
  listNetdevMembers,
  listNetdevTable,
  readDevices,
  removeNetdevTable,
  writeNetdev,
} from './ingress-tool.ts';
import type { NeverBan } from '../bans/never-ban.ts';
import { timeoutUntil } from './batch.ts';
import { elementOf, setOf } from './names.ts';
import { Serial } from '../../async/serial.ts';

export interface NetdevKeeperOptions {
  readonly tools: Tools;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** The addresses that may not be banned at this moment. */
  readonly neverBan: () => NeverBan;
  /** Every ban that is to be in force at this moment. */
  readonly bans: () => Iterable<Ban>;
  /** `/proc/net` of the network namespace in which the tools work. */
  readonly procNet: string;
}

/** What was written, and how it was listed then. */
interface Written {
  readonly text: string;
  readonly layout: NetdevLayout;
  readonly blocks: ReadonlyMap<string, string>;
}

/** So many elements, and no more, are read each time: that takes some milliseconds. */
const few = 1000;

/** Of more, milliseconds until they are read again, for each of them: nft takes some 20 µs a member. */
const pauseEach = 5;

/**
 * Keeps bans in a table of our own at the ingress of interfaces, for containers that stand in a local network by themselves. It remembers no
 * bans: whatever it lacks it gets from those that are to be in force, in one transaction. Without such a container there is no table.
 */
export class NetdevKeeper {
  readonly #options: NetdevKeeperOptions;
  readonly #serial = new Serial();
  readonly #requests = new BanRequests(this.#serial, (requests) => this.#carryOut(requests));
  /** Those with containers that stand in a local network by themselves. */
  #jails: readonly GuardedJail[] = [];
  /** What labels say of such containers. */
  #accesses: readonly AccessSpec[] = [];
  #written: Written | undefined;
  /** What an earlier run left counts as there, until it was looked for. */
  #mayBeThere = true;
  #isDirty = false;
  #canReject = true;
  /** No reading of all elements before. Epoch milliseconds. */
  #nextReading = 0;
  /** What is on its way in or out, so that a difference is nobody's doing: how often. */
  readonly #changing = new Map<string, number>();

  constructor(options: NetdevKeeperOptions) {
    this.#options = options;
  }

  /** The interfaces at whose ingress it stands. */
  get devices(): string[] {
    return this.#isNeedless || !this.#written
      ? []
      : [...this.#written.layout.chains.keys()].flatMap((name) =>
          name.startsWith('ingress-') ? [name.slice('ingress-'.length)] : [],
        );
  }

  get #isNeedless(): boolean {
    return this.#jails.length === 0 && this.#accesses.length === 0;
  }

  /** Carries out a change of bans, beginning elsewhere, during which nothing can be said about them. */
  async during<Result>(keys: readonly BanKey[], change: () => Promise<Result>): Promise<Result> {
    if (!this.#written) return change();
    const ids = keys.map(idOf);
    for (const id of ids) this.#changing.set(id, (this.#changing.get(id) ?? 0) + 1);
    try {
      return await change();
    } finally {
      for (const id of ids) {
        const left = (this.#changing.get(id) ?? 1) - 1;
        if (left > 0) this.#changing.set(id, left);
        else this.#changing.delete(id);
      }
    }
  }

  /** Resolves when they are in the kernel. @throws FirewallError if it could not be written; the next `reconcile` does it */
  async ban(bans: readonly Ban[]): Promise<void> {
    if (!this.#written) return;
    await this.#requests.add(bans.map((ban) => ({ jail: ban.jail, ip: ban.ip, ban })));
  }

  /** As `ban`. */
  async unban(keys: readonly BanKey[]): Promise<void> {
    if (!this.#written) return;
    await this.#requests.add(keys.map(({ jail, ip }) => ({ jail, ip, ban: undefined })));
  }

  /** Brings the table to what these jails and labels need. What can't be done is told, not thrown. */
  reconcile(
    jails: readonly GuardedJail[],
    accesses: readonly AccessSpec[] = [],
  ): Promise<{ readonly repairs: readonly Repair[]; readonly shortfalls: readonly Shortfall[] }> {
    return this.#serial.run(async () => {
      this.#jails = jails.filter(({ direct = [] }) => direct.length > 0);
      this.#accesses = accesses.filter(({ direct = [] }) => direct.length > 0);
      try {
        if (!this.#isNeedless) return await this.#reconcile();
        await this.#remove();
        return { repairs: [], shortfalls: [] };
      } catch (error) {
        if (!(error instanceof FirewallError)) throw error;
        this.#isDirty = true;
        return { repairs: [], shortfalls: failedShortfalls(this.#jails, this.#accesses, error) };
      }
    });
  }

  /** Removes the table. */
  flush(): Promise<void> {
    return this.#serial.run(async () => {
      this.#jails = [];
      this.#accesses = [];
      this.#mayBeThere = true;
      await this.#remove();
    });
  }

  async #remove(): Promise<void> {
    if (!this.#mayBeThere) return;
    this.#written = undefined;
    try {
      await removeNetdevTable(this.#options.tools);
    } catch (error) {
      // Without nft, or in a kernel that doesn't have it, there is none.
      const codes = ['firewall-missing-binary', 'firewall-kernel'];
      if (!(error instanceof FirewallError && codes.includes(error.code))) throw error;
    }
    this.#mayBeThere = false;
  }

  async #reconcile(): Promise<{ repairs: readonly Repair[]; shortfalls: readonly Shortfall[] }> {
    const { now, tools, procNet } = this.#options;
    const asked = now();
    const isReading = asked >= this.#nextReading;
    const devices = await readDevices(procNet);
    const listing = await (isReading ? listNetdevMembers(tools) : listNetdevTable(tools));
    const layout = this.#plan(devices);
    const written = this.#written;
    const isAsWritten = written !== undefined && written.text === textOf(layout);
    const repairs = isAsWritten ? netdevAlterations(written.blocks, listing.blocks) : [];
    if (isReading && isAsWritten && repairs.length === 0) repairs.push(...this.#readMembers(listing, asked));
    if (!isAsWritten || this.#isDirty || repairs.length > 0) await this.#rewrite(devices);
    return { repairs, shortfalls: missingShortfalls(this.#jails, this.#accesses, devices) };
  }

  #readMembers({ members }: NetdevListing, asked: number): Repair[] {
    const now = this.#options.now();
    const wanted = netdevMembers(this.#relevant(), now);
    const count = [...wanted.values()].reduce((sum, elements) => sum + elements.size, 0);
    this.#nextReading = count <= few ? 0 : now + count * pauseEach;
    return compareNetdevMembers(this.#written!.layout.sets, wanted, members, {
      slack: (now - asked) / 1000,
      isChanging: (key) => this.#changing.has(idOf(key)),
    });
  }

  #plan(devices: ReadonlySet<string>): NetdevLayout {
    return netdevLayout(
      this.#jails,
      devices,
      netdevPlaces(this.#jails, this.#relevant()).values(),
      this.#canReject,
      this.#accesses,
    );
  }

  /** Makes the table anew, with everything that is to be in it: at no moment is a ban open. */
  async #rewrite(devices: ReadonlySet<string>): Promise<void> {
    const { tools, now, neverBan } = this.#options;
    const protectedOnes = neverBan();
    const write = async (): Promise<NetdevLayout> => {
      const layout = this.#plan(devices);
      const lines = netdevLines(layout);
      for (const [set, elements] of netdevMembers(this.#relevant(protectedOnes), now())) {
        lines.push(...elementChanges(set, { gone: [], added: elements }));
      }
      this.#mayBeThere = true;
      await writeNetdev(tools, lines);
      return layout;
    };
    let layout: NetdevLayout;
    try {
      layout = await write();
    } catch (error) {
      const isRejecting = this.#canReject && this.#jails.some(({ blocktype }) => blocktype === 'reject');
      if (!(error instanceof FirewallError) || !isRejecting) throw error;
      // Perhaps the kernel can't refuse packets here (before Linux 5.11): better dropped than let in.
      this.#canReject = false;
      layout = await write().catch((second: unknown) => {
        this.#canReject = true;
        throw second;
      });
    }
    const { blocks } = await listNetdevTable(tools);
    this.#written = { text: textOf(layout), layout, blocks };
    this.#isDirty = false;
  }

  /** Those bans that concern containers here. */
  *#relevant(protectedOnes?: NeverBan): Generator<Ban> {
    const families = new Map<string, ReadonlySet<Family>>(
      this.#jails.map((jail) => [jail.name, directFamilies(jail)]),
    );
    for (const ban of this.#options.bans()) {
      if (!families.get(ban.jail)?.has(elementOf(ban.ip).family)) continue;
      if (!protectedOnes?.find(ban.ip)) yield ban;
    }
  }

  async #carryOut(requests: readonly Request[]): Promise<readonly Refusal[]> {
    const written = this.#written;
    if (!written) return [];
    const { tools, now, neverBan, procNet } = this.#options;
    const protectedOnes = neverBan();
    const families = new Map(this.#jails.map((jail) => [jail.name, directFamilies(jail)]));
    const sets = new Map<string, Changes>();
    let isNew = false;
    for (const { jail, ip, ban } of requests) {
      const { family, address, bits } = elementOf(ip);
      if (!families.get(jail)?.has(family)) continue;
      const set = setOf({ jail, family, bits });
      const isWanted = ban !== undefined && !protectedOnes.find(ip) && (ban.until ?? Infinity) > now();
      if (!written.layout.sets.has(set)) {
        isNew ||= isWanted;
        continue;
      }
      const changes = sets.get(set) ?? { gone: [], added: new Map<string, number>() };
      sets.set(set, changes);
      changes.gone.push(address);
      if (isWanted) changes.added.set(address, timeoutUntil(ban.until, now()));
    }
    try {
      if (isNew) await this.#rewrite(await readDevices(procNet));
      else
        await writeNetdev(
          tools,
          [...sets].flatMap(([set, changes]) => elementChanges(set, changes)),
        );
    } catch (error) {
      this.#isDirty = true;
      throw error;
    }
    return [];
  }
}

/** The text by which two layouts are the same. */
function textOf(layout: NetdevLayout): string {
  return netdevLines(layout).join('\n');
}

function idOf({ jail, ip }: BanKey): string {
  return `${ip} ${jail}`;
}
