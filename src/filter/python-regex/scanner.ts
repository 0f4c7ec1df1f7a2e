/** A position in the text of an expression. */
export class Scanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get position(): number {
    return this.#position;
  }

  get done(): boolean {
    return this.#position >= this.#text.length;
  }

  /** The next UTF-16 unit; empty at the end. */
  peek(): string {
    return this.#text.charAt(this.#position);
  }

  /** Consumes the next code point. Must not be called at the end. */
  next(): number {
    const code = this.#text.codePointAt(this.#position)!;
    this.#position += code > 0xffff ? 2 : 1;
    return code;
  }

  /** Consumes `text` if it comes next. */
  eat(text: string): boolean {
    if (!this.#text.startsWith(text, this.#position)) return false;
    this.#position += text.length;
    return true;
  }

  /** Consumes what a sticky expression matches here. */
  take(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#position;
    const match = sticky.exec(this.#text);
    if (!match) return undefined;
    this.#position += match[0].length;
    return match;
  }

  slice(from: number, to: number): string {
    return this.#text.slice(from, to);
  }
}
