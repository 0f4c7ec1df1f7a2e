import type { Conversation, Tools } from './exec.ts';

/** Milliseconds without an answer after which the session is given up. */
const patience = 5000;

/** Timeouts from here on are refused by ipset with a message that repeats the number. */
const firstToken = 2_147_483_648;

/**
 * A long-lived `ipset -`: 0.1 ms a batch, where a process each costs 6 ms. It prints nothing about what went well, and its messages don't
 * say which command they are about; so a batch is closed with a command that must fail in a known way. If nothing but that failure is
 * said, the batch is in force.
 */
export class IpsetSession {
  readonly #tools: Tools;
  #conversation: Conversation | undefined;
  #said = '';
  #wake: (() => void) | undefined;
  #token = firstToken;
  #usable = true;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /**
   * Resolves to whether every line was taken. If not, some may have been: the lines must be such that they can be repeated.
   * One call at a time.
   */
  async send(lines: readonly string[]): Promise<boolean> {
    if (!this.#usable) return false;
    this.#conversation ??= this.#start();
    const token = String(this.#token);
    this.#token += 1;
    this.#said = '';
    const answered = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (!this.#conversation || this.#answer(token) !== undefined) resolve();
      };
    });
    const timer = setTimeout(() => this.#giveUp(), patience);
    this.#conversation.write(`${lines.join('\n')}\ncreate dock2ban-end hash:ip timeout ${token}\n`);
    await answered;
    clearTimeout(timer);
    if (this.#conversation && this.#answer(token) === '') return true;
    // Whatever the reason, a new session has no memory of it.
    this.close();
    return false;
  }

  /** Starts the process ahead of the first batch: that takes some 20 ms. */
  open(): void {
    if (this.#usable) this.#conversation ??= this.#start();
  }

  close(): void {
    this.#conversation?.end();
    this.#conversation = undefined;
  }

  /** What was said before the closing command's message; undefined: that hasn't come yet. */
  #answer(token: string): string | undefined {
    const at = this.#said.indexOf(`'${token}'`);
    if (at < 0 || !this.#said.includes('\n', at)) return undefined;
    return this.#said.slice(0, this.#said.lastIndexOf('\n', at) + 1).trim();
  }

  #start(): Conversation {
    const conversation = this.#tools.converse('ipset', ['-exist', '-'], {
      said: (text) => {
        if (this.#conversation !== conversation) return;
        this.#said += text;
        this.#wake?.();
      },
      ended: () => {
        if (this.#conversation !== conversation) return;
        this.#conversation = undefined;
        this.#wake?.();
      },
    });
    return conversation;
  }

  /** This ipset doesn't answer as expected: not again. */
  #giveUp(): void {
    this.#usable = false;
    this.close();
    this.#wake?.();
  }
}
