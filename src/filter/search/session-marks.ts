/** Of an id, so many characters are looked at. */
const longest = 64;
const slots = 4096;

/** Tells by a line's bytes, and at little cost, that it begins with the id of no session. */
export class SessionMarks {
  /** How many ids there are of each length, up to the longest that is looked at. */
  readonly #lengths = new Uint8Array(longest + 1);
  /** How many ids have each hash. */
  readonly #hashes = new Uint8Array(slots);

  /** The greatest length there has been. */
  #longest = 0;

  /** @param id there must be no more than 255 */
  add(id: string): void {
    this.#longest = Math.max(this.#longest, this.#count(id, 1));
  }

  /** Of an id that was added. */
  delete(id: string): void {
    this.#count(id, -1);
  }

  /**
   * False: no id begins at that place.
   * @param bytes ASCII
   */
  mayBeginAt(bytes: Uint8Array, start: number): boolean {
    let hash = 0;
    for (let length = 0; length <= this.#longest; length += 1) {
      if (this.#lengths[length]! > 0 && this.#hashes[hash & (slots - 1)]! > 0) return true;
      hash = mixed(hash, bytes[start + length]!);
    }
    return false;
  }

  #count(id: string, change: number): number {
    // How a line ended isn't told by its bytes.
    const newline = id.indexOf('\n');
    const mark = id.slice(0, newline < 0 ? longest : Math.min(longest, newline));
    let hash = 0;
    for (let i = 0; i < mark.length; i += 1) hash = mixed(hash, mark.charCodeAt(i));
    this.#lengths[mark.length]! += change;
    this.#hashes[hash & (slots - 1)]! += change;
    return mark.length;
  }
}

function mixed(hash: number, code: number): number {
  return (Math.imul(hash, 31) + code) | 0;
}
