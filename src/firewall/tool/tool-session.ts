import type { Conversation, Tools } from './exec.ts';

/** Milliseconds without an answer after which the session is given up. */
const patience = 5000;

/** A session that has taken so many batches is ended: tools keep a history of what they were told. */
const mostBatches = 5000;

/**
 * How a tool is talked to that runs on and reads commands. It says nothing about what went well, and its messages don't say which command
 * they are about; so a batch is closed with a command that must fail in a known way. If nothing but that failure is said, the batch is in force.
 */
export interface Dialect {
  readonly command: string;
  readonly args: readonly string[];
  /** The text of a batch, with its closing command. @param number of the batch */
  batch(lines: readonly string[], number: number): string;
  /** What was said about the batch before the closing command failed; undefined: that hasn't come yet. */
  answer(said: string, number: number): string | undefined;
}

/** A long-lived tool: less than a millisecond a batch, where a process each costs several. */
export class ToolSession {
  readonly #tools: Tools;
  readonly #dialect: Dialect;
  #conversation: Conversation | undefined;
  #said = '';
  #wake: (() => void) | undefined;
  #number = 0;
  #batches = 0;
  #usable = true;

  constructor(tools: Tools, dialect: Dialect) {
    this.#tools = tools;
    this.#dialect = dialect;
  }

  /**
   * Resolves to whether every line was taken. If not, some may have been: the lines must be such that they can be repeated.
   * One call at a time.
   */
  async send(lines: readonly string[]): Promise<boolean> {
    if (!this.#usable) return false;
    if (this.#batches >= mostBatches) this.close();
    this.#conversation ??= this.#start();
    this.#batches += 1;
    const number = this.#number;
    this.#number += 1;
    this.#said = '';
    const answered = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (!this.#conversation || this.#dialect.answer(this.#said, number) !== undefined) resolve();
      };
    });
    const timer = setTimeout(() => this.#giveUp(), patience);
    this.#conversation.write(this.#dialect.batch(lines, number));
    await answered;
    clearTimeout(timer);
    if (this.#conversation && this.#dialect.answer(this.#said, number) === '') return true;
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
    this.#batches = 0;
  }

  #start(): Conversation {
    const { command, args } = this.#dialect;
    const conversation = this.#tools.converse(command, args, {
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

  /** This tool doesn't answer as expected: not again. */
  #giveUp(): void {
    this.#usable = false;
    this.close();
    this.#wake?.();
  }
}
