import { FirewallError } from '../tool/errors.ts';
import type { Tools } from '../tool/exec.ts';
import { elementLines, type Line } from './layout.ts';
import { emptyListing, parseListing, readMembers, type Listing } from './listing.ts';
import { ToolSession } from '../tool/tool-session.ts';
import { nftDialect } from './session.ts';

/** Jails whose lines the kernel would not take, and why. */
export type Failures = ReadonlyMap<string, FirewallError>;

/** Characters of a batch that is small enough for the session: a few bans. */
const shortBatch = 3000;

/** So many come in one piece. */
const fewElements = 500;

/** How often a large set is read again, at most. */
const mostReadings = 3;

/**
 * Reads and writes one table with nft. A process takes 4 ms plus 3 µs an element; small batches go through a session. It lists in JSON, since
 * text comes in pieces of 60 bytes, the reading of which costs 10 µs each. What makes nft 1.0.6 read all elements first (`get element`,
 * `list tables`, `-t list table`) costs a second at 100,000, so none of that is used where it matters. One write at a time.
 */
export class NftTool {
  readonly #tools: Tools;
  readonly #session: ToolSession;
  /** `FAMILY NAME`. */
  readonly table: string;

  constructor(tools: Tools, table: string) {
    this.#tools = tools;
    this.#session = new ToolSession(tools, nftDialect);
    this.table = table;
  }

  /** Makes the first write as quick as the others. */
  open(): void {
    this.#session.open();
  }

  close(): void {
    this.#session.close();
  }

  /** Without elements: this one command finds that out before it reads them. */
  async list(): Promise<Listing> {
    const [family = ''] = this.table.split(' ');
    return parseListing(await this.#text(['-t', 'list', 'ruleset', family]), this.table);
  }

  /** With all elements of all sets; for small sets. */
  async listAll(): Promise<Listing> {
    const text = await this.#textIfThere(['list', 'table', ...this.table.split(' ')]);
    return text === undefined ? emptyListing(this.table) : parseListing(text, this.table);
  }

  /**
   * Address → seconds left, 0 for ever. A set that isn't there has none. The kernel passes over some elements of a large set whose hash
   * table grows or shrinks meanwhile, so that is read again until nothing new is found.
   */
  async members(set: string): Promise<ReadonlyMap<string, number>> {
    const members = new Map<string, number>();
    for (let readings = 0; readings <= mostReadings; readings += 1) {
      const before = members.size;
      const text = await this.#textIfThere(['list', 'set', ...this.table.split(' '), set]);
      if (text !== undefined)
        readMembers(text, this.table, set, (address, seconds) => void members.set(address, seconds));
      if (members.size <= fewElements || members.size === before) break;
    }
    return members;
  }

  /**
   * Whether sets hold certain elements, without reading the sets: a transaction that deletes them is tried, and never committed.
   * @returns the sets that lack any
   */
  async lacking(elements: ReadonlyMap<string, ReadonlySet<string>>): Promise<string[]> {
    const lines = [...elements].flatMap(([set, addresses]) =>
      elementLines('delete element', set, undefined, [...addresses]).map((line) => ({ ...line, set })),
    );
    if (lines.length === 0) return [];
    try {
      await this.#run(lines, ['-c']);
      return [];
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
      const faulty = faultyLines(error).flatMap((number) => lines[number - 1]?.set ?? []);
      if (error.code === 'firewall-not-found' && faulty.length > 0) return [...new Set(faulty)];
      throw error;
    }
  }

  /**
   * Carries out all lines at once. The lines of a jail at which the kernel takes offence are left out.
   * @param shortcut those that suffice unless somebody has changed the table; they are tried first if they are few
   * @throws FirewallError if it is not one jail's fault; then nothing was written
   */
  async write(lines: readonly Line[], shortcut: readonly Line[] = lines): Promise<Failures> {
    const length = shortcut.reduce((sum, { rest }) => sum + rest.length, 0);
    const isShort = shortcut.length > 0 && length <= shortBatch;
    // What the session could not do was not done at all. A process tells why.
    if (isShort && (await this.#session.send(shortcut.map((line) => this.#textOf(line))))) return new Map();
    const failures = new Map<string, FirewallError>();
    for (let rest = lines; rest.length > 0;) {
      try {
        await this.#run(rest);
        break;
      } catch (error) {
        if (!(error instanceof FirewallError)) throw error;
        const jails = new Set(faultyLines(error).map((number) => rest[number - 1]?.jail));
        if (jails.size === 0 || jails.has(undefined)) throw error;
        for (const jail of jails) failures.set(jail!, error);
        rest = rest.filter(({ jail }) => !jails.has(jail));
      }
    }
    return failures;
  }

  /** Removes the table, if it is there. */
  async remove(): Promise<void> {
    // It can only be deleted if it is there, and adding it does nothing if it is.
    await this.write(['add table', 'delete table'].map((verb) => ({ verb, rest: '' })));
  }

  #textOf({ verb, rest }: Line): string {
    return `${verb} ${this.table} ${rest}`.trimEnd();
  }

  async #run(lines: readonly Line[], options: readonly string[] = []): Promise<void> {
    const input = `${lines.map((line) => this.#textOf(line)).join('\n')}\n`;
    await this.#tools.run('nft', [...options, '-f', '-'], { input });
  }

  async #text(what: readonly string[]): Promise<string> {
    const { stdout } = await this.#tools.run('nft', ['-j', ...what]);
    return stdout;
  }

  async #textIfThere(what: readonly string[]): Promise<string | undefined> {
    try {
      return await this.#text(what);
    } catch (error) {
      if (error instanceof FirewallError && error.code === 'firewall-not-found') return undefined;
      throw error;
    }
  }
}

/** The numbers of the lines about which nft complains: `/dev/stdin:3:27-32: Error: …`. */
function faultyLines({ stderr }: FirewallError): number[] {
  return Array.from(stderr.matchAll(/^\/dev\/stdin:(\d+):[\d-]+: Error: /gm), ([, number]) => Number(number));
}
