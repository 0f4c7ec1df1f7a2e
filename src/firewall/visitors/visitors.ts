import { setTimeout as delay } from 'node:timers/promises';
import { Serial } from '../../async/serial.ts';
import { familyOf, type Family } from '../../net/address.ts';
import type { BackendOptions } from '../backend.ts';
import { jailSet } from '../bans/set-names.ts';
import type { GuardedJail, Mention, Repair, Watch } from '../firewall.ts';
import { elementLines } from '../nft/layout.ts';
import { NftTool } from '../nft/tool.ts';
import { FirewallError, isWithoutTraces } from '../tool/errors.ts';
import type { Tools } from '../tool/exec.ts';
import { connected } from './connections.ts';
import { mostVisitors, setsIn, tableIn, visitorsScript, visitorsTable, watchIn } from './visitors-table.ts';

/** Milliseconds: a line that was logged so soon after a watch began may be of a connection that came before. */
const settling = 10_000;

/** Milliseconds by which a note must outlast a line that is read late. */
const margin = 60_000;

/** Milliseconds between two readings of a whole set: only addresses that aren't in it make one necessary, and whoever forges lines chooses how many. */
const pause = 1_000;

/** With so many, some may have found no room. */
const nearlyFull = mostVisitors - 5_000;

/** Notes in the kernel who has a connection to the ports of jails, and tells who has not. */
export class Visitors {
  readonly #tools: Tools;
  readonly #tool: NftTool;
  readonly #procNet: string;
  readonly #now: () => number;
  readonly #serial = new Serial();
  #watches: ReadonlyMap<string, Watch> = new Map();
  /** Since when a jail's notes have no gap, epoch milliseconds; -Infinity: an earlier run began. */
  #since = new Map<string, number>();
  /** What was written last, and how it is listed. */
  #written: { readonly script: string; readonly listed: string } | undefined;
  /** What an earlier run left counts as there, until it was looked for. */
  #mayBeThere = true;
  #failure: FirewallError | undefined;
  /** By jail, readings that haven't begun: whoever comes meanwhile has a part in them. */
  readonly #readings = new Map<string, Promise<ReadonlySet<string> | undefined>>();
  readonly #lastReading = new Map<string, number>();

  constructor({ tools, now = Date.now, procNet = '/proc/net' }: BackendOptions) {
    this.#tools = tools;
    this.#tool = new NftTool(tools, visitorsTable);
    this.#procNet = procNet;
    this.#now = now;
  }

  /** Why nobody is noted; undefined: all is well. */
  get failure(): FirewallError | undefined {
    return this.#failure;
  }

  /** Brings the table to what these jails need. Never throws: without it, every ban is believed. */
  reconcile(jails: readonly GuardedJail[]): Promise<readonly Repair[]> {
    return this.#serial.run(async () => {
      this.#watches = new Map(jails.flatMap(({ name, watch }) => (watch ? [[name, watch] as const] : [])));
      try {
        const repairs = await (this.#watches.size > 0 ? this.#write() : this.#remove());
        this.#failure = undefined;
        return repairs;
      } catch (error) {
        if (!(error instanceof FirewallError)) throw error;
        this.#failure = error;
        this.#forget();
        return [];
      }
    });
  }

  /** Removes every trace. @throws FirewallError */
  flush(): Promise<void> {
    return this.#serial.run(async () => {
      this.#mayBeThere = true;
      await this.#remove();
    });
  }

  async close(): Promise<void> {
    await this.#serial.run(async () => this.#tool.close());
  }

  /**
   * Those of some addresses that had no connection to a jail's ports. Nobody is one of them when the watch began after the line, its notes may
   * have run out, the set is full, or the kernel doesn't answer.
   */
  async strangers(jail: string, mentions: readonly Mention[]): Promise<ReadonlySet<string>> {
    const [since, watch] = [this.#since.get(jail), this.#watches.get(jail)];
    if (since === undefined || !watch) return new Set();
    const oldest = Math.max(since + settling, this.#now() - watch.seconds * 1000 + margin);
    const addresses = mentions.filter(({ logged }) => logged >= oldest).map(({ address }) => address);
    const unknown = await this.#serial.run(() => this.#unnoted(jail, watch, addresses));
    if (unknown.size === 0) return unknown;
    const visitors = await this.#read(jail);
    if (!visitors || this.#since.get(jail) !== since) return new Set();
    for (const address of visitors) unknown.delete(address);
    if (unknown.size === 0) return unknown;
    const open = await connected(unknown, watch, this.#procNet);
    for (const address of open ?? []) unknown.delete(address);
    return unknown;
  }

  async #write(): Promise<readonly Repair[]> {
    const before = await this.#list();
    const sets = new Set([...this.#watches.keys()].flatMap(setsOf));
    const obsolete = before === undefined ? [] : setsIn(before).filter((set) => !sets.has(set));
    const script = visitorsScript(this.#watches, obsolete);
    const isWritten = script === this.#written?.script;
    if (isWritten && before === this.#written?.listed) return [];
    this.#mayBeThere = true;
    await this.#tools.run('nft', ['-f', '-'], { input: script });
    this.#tool.open();
    const listed = (await this.#list()) ?? '';
    this.#noteSince(before, listed);
    this.#written = { script: visitorsScript(this.#watches, []), listed };
    if (!isWritten) return [];
    const change = before === undefined ? 'was missing' : 'had been changed';
    return [{ what: 'table', family: undefined, detail: `table ${visitorsTable} ${change}` }];
  }

  /** A watch that was there and is the same goes on. */
  #noteSince(before: string | undefined, listed: string): void {
    const now = this.#now();
    this.#since = new Map(
      [...this.#watches.keys()].map((jail) => {
        const isSame = setsOf(jail).every((set) => {
          const watch = watchIn(before, set);
          return watch !== undefined && watch === watchIn(listed, set);
        });
        return [jail, isSame ? (this.#since.get(jail) ?? -Infinity) : now];
      }),
    );
  }

  async #remove(): Promise<readonly Repair[]> {
    this.#forget();
    if (!this.#mayBeThere) return [];
    try {
      await this.#tool.remove();
    } catch (error) {
      if (!isWithoutTraces(error)) throw error;
    }
    this.#tool.close();
    this.#mayBeThere = false;
    return [];
  }

  #forget(): void {
    this.#since.clear();
    this.#written = undefined;
  }

  async #list(): Promise<string | undefined> {
    const { stdout } = await this.#tools.run('nft', ['-t', 'list', 'ruleset', 'inet']);
    return tableIn(stdout);
  }

  /** Those that aren't noted, by a transaction that renews the notes of all, which fails if one isn't there. Few at a time cost a third of a millisecond. */
  async #unnoted(jail: string, { seconds }: Watch, addresses: readonly string[]): Promise<Set<string>> {
    const unknown = new Set<string>();
    for (const family of [4, 6] as const) {
      const own = [...new Set(addresses)].filter((address) => familyOf(address) === family);
      if (own.length === 0) continue;
      try {
        await this.#tool.write(renewal(jail, family, own, seconds));
      } catch (error) {
        if (!(error instanceof FirewallError)) throw error;
        if (error.code !== 'firewall-not-found') return new Set();
        for (const address of own) unknown.add(address);
      }
    }
    return unknown;
  }

  /** All that are noted; undefined: that says nothing about others. */
  #read(jail: string): Promise<ReadonlySet<string> | undefined> {
    const waiting = this.#readings.get(jail);
    if (waiting) return waiting;
    const reading = (async () => {
      const passed = performance.now() - (this.#lastReading.get(jail) ?? -Infinity);
      await delay(Math.max(0, pause - passed));
      this.#readings.delete(jail);
      this.#lastReading.set(jail, performance.now());
      try {
        return await this.#members(jail);
      } catch (error) {
        if (!(error instanceof FirewallError)) throw error;
        return undefined;
      }
    })();
    this.#readings.set(jail, reading);
    return reading;
  }

  async #members(jail: string): Promise<ReadonlySet<string> | undefined> {
    const sets: ReadonlyMap<string, number>[] = [];
    for (const set of setsOf(jail)) sets.push(await this.#tool.members(set));
    // Who wrote a line was there: if nobody was, the watch doesn't see the jail's clients.
    const isBlind = sets.every(({ size }) => size === 0);
    if (isBlind || sets.some(({ size }) => size >= nearlyFull)) return undefined;
    return new Set(sets.flatMap((set) => [...set.keys()]));
  }
}

function setsOf(jail: string): string[] {
  return [jailSet(jail, 4), jailSet(jail, 6)];
}

function renewal(jail: string, family: Family, addresses: readonly string[], seconds: number) {
  const set = jailSet(jail, family);
  const renewed = addresses.map((address) => `${address} timeout ${seconds}s`);
  return [
    ...elementLines('delete element', set, undefined, addresses),
    ...elementLines('add element', set, undefined, renewed),
  ];
}
