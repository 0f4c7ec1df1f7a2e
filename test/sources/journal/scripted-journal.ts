import type {
  JournalEnd,
  JournalProcess,
  StartJournalctl,
} from '../../../src/sources/journal/journalctl-process.ts';

/** One start of journalctl, played by the test. */
export class ScriptedJournalctl {
  readonly args: readonly string[];
  killed = false;
  readonly #chunks: Buffer[] = [];
  readonly #end = Promise.withResolvers<JournalEnd>();
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(args: readonly string[]) {
    this.args = args;
  }

  /** It has neither ended nor been killed. */
  get isRunning(): boolean {
    return !this.#isOver;
  }

  /** The value of an option, `since` for `--since=…`. */
  option(name: string): string | undefined {
    return this.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  }

  /** What stands behind `--`. */
  get matches(): readonly string[] {
    return this.args.slice(this.args.indexOf('--') + 1);
  }

  print(...entries: readonly object[]): void {
    this.write(entries.map((one) => `${JSON.stringify(one)}\n`).join(''));
  }

  write(text: string): void {
    this.#chunks.push(Buffer.from(text));
    this.#wake();
  }

  end(message = 'journalctl ended by SIGKILL', isMissing = false): void {
    this.#isOver = true;
    this.#end.resolve({ message, isMissing, isDone: message === '' });
    this.#wake();
  }

  process(): JournalProcess {
    return {
      output: this.#output(),
      ended: this.#end.promise,
      kill: () => {
        this.killed = true;
        this.end('killed');
      },
    };
  }

  async *#output(): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) yield chunk;
      else if (this.#isOver) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

/** A journalctl that the test plays, each start of it. */
export function scriptedJournal(): { start: StartJournalctl; runs: ScriptedJournalctl[] } {
  const runs: ScriptedJournalctl[] = [];
  return {
    runs,
    start: (args) => {
      const run = new ScriptedJournalctl(args);
      runs.push(run);
      return run.process();
    },
  };
}

/** When entry 0 was logged, epoch milliseconds. */
export const firstEntryAt = 1_795_354_000_000;

/** The cursor of entry number `n`. */
export function cursorOf(n: number): string {
  return `s=d46c7483468a4ff2b9635190016956c6;i=${n.toString(16)};b=1;m=1;t=${((firstEntryAt + n * 1000) * 1000).toString(16)};x=1`;
}

/** Entry number `n`, one a second. */
export function entry(n: number, fields: Readonly<Record<string, unknown>> = {}): object {
  return {
    __CURSOR: cursorOf(n),
    __REALTIME_TIMESTAMP: String((firstEntryAt + n * 1000) * 1000),
    __MONOTONIC_TIMESTAMP: '1',
    _BOOT_ID: '1',
    _UID: '0',
    MESSAGE: `line ${n}`,
    ...fields,
  };
}
