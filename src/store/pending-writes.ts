import type { BanRecord } from './stored-ban.ts';

/** The state that one address in one jail is to have. */
export interface BanWrite {
  readonly jail: string;
  readonly ip: string;
  /** Undefined: forgotten. `lines` is the stored text. */
  readonly record: (BanRecord & { readonly lines: string }) | undefined;
}

/** Up to where a source has been read. */
export interface PositionWrite {
  readonly source: string;
  readonly position: string;
  /** Epoch milliseconds. */
  readonly updated: number;
}

export interface Batch {
  readonly bans: readonly BanWrite[];
  readonly positions: readonly PositionWrite[];
  /** Whether nothing waits beside it. */
  readonly isAll: boolean;
}

/** UTF-16 code units of matched lines that may wait; bans beyond that wait without theirs. */
const mostText = 4 * 1024 * 1024;
const noLines = '[]';

/**
 * What waits to be written: the latest state of each key, in the order in which the keys began to wait. Positions come after
 * all bans, so that none is stored before the bans that were found on the way to it.
 */
export class PendingWrites {
  readonly #bans = new Map<string, readonly BanWrite[]>();
  readonly #positions = new Map<string, PositionWrite>();
  #size = 0;
  #text = 0;

  /** Bans and positions that wait. */
  get size(): number {
    return this.#size + this.#positions.size;
  }

  put(write: BanWrite): void {
    const before = this.get(write.jail, write.ip);
    if (before) this.#text -= textOf(before);
    else this.#size += 1;
    const stays = this.#text + textOf(write) <= mostText;
    const kept =
      stays || write.record === undefined ? write : { ...write, record: { ...write.record, lines: noLines } };
    this.#text += textOf(kept);
    const others = this.of(write.ip).filter(({ jail }) => jail !== write.jail);
    this.#bans.set(write.ip, [...others, kept]);
  }

  putPosition(write: PositionWrite): void {
    this.#positions.set(write.source, write);
  }

  /** Bans that wait. */
  get banCount(): number {
    return this.#size;
  }

  /** All that waits for an address. */
  of(ip: string): readonly BanWrite[] {
    return this.#bans.get(ip) ?? [];
  }

  get(jail: string, ip: string): BanWrite | undefined {
    return this.of(ip).find((write) => write.jail === jail);
  }

  position(source: string): string | undefined {
    return this.#positions.get(source)?.position;
  }

  *bans(): Generator<BanWrite> {
    for (const writes of this.#bans.values()) yield* writes;
  }

  /** The next to be written, about `most` of them. They wait on until `settle`. */
  batch(most: number): Batch {
    const bans: BanWrite[] = [];
    for (const writes of this.#bans.values()) {
      if (bans.length >= most) return { bans, positions: [], isAll: false };
      bans.push(...writes);
    }
    return { bans, positions: [...this.#positions.values()], isAll: true };
  }

  /** Forgets what was written, but not what has been put since. */
  settle({ bans, positions }: Batch): void {
    for (const write of bans) {
      const before = this.of(write.ip);
      const left = before.filter((other) => other !== write);
      if (left.length === before.length) continue;
      if (left.length === 0) this.#bans.delete(write.ip);
      else this.#bans.set(write.ip, left);
      this.#text -= textOf(write);
      this.#size -= 1;
    }
    for (const write of positions) {
      if (this.#positions.get(write.source) === write) this.#positions.delete(write.source);
    }
  }

  /** Makes room: bans stop waiting, and only what has to be forgotten waits on. */
  dropBans(): void {
    const removals = [...this.bans()].filter(({ record }) => record === undefined);
    this.#bans.clear();
    this.#size = 0;
    this.#text = 0;
    for (const write of removals) this.put(write);
  }

  clear(): void {
    this.#bans.clear();
    this.#positions.clear();
    this.#size = 0;
    this.#text = 0;
  }
}

function textOf({ record }: BanWrite): number {
  return record?.lines.length ?? 0;
}
