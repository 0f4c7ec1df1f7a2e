import { familyOf, canonicalAddress } from '../../net/address.ts';
import type { IgnoreCache } from '../../config/options/ignore-cache.ts';
import type { JailSpec } from '../../config/jail-spec.ts';
import type { Failure } from '../../filter/failure.ts';

/** Runs a program and resolves to its exit code; undefined if it couldn't be run or took too long. */
export type RunProgram = (argv: readonly string[]) => Promise<number | undefined>;

/** fail2ban's own limit for a command, milliseconds. */
const commandTimeout = 60_000;

/** Attackers trigger commands, so only so many run at a time, and only so many wait. */
const mostRunning = 4;
const mostWaiting = 1000;

interface Answer {
  readonly ignored: boolean;
  /** Epoch milliseconds. */
  readonly until: number;
}

/** Asks a jail's `ignorecommand` whether a failure is to be ignored: exit code 0 says yes. Never a shell, and never from a label. */
export class IgnoreCommand {
  readonly #run: RunProgram;
  readonly #clock: () => number;
  /** By jail. */
  readonly #answers = new Map<string, Map<string, Answer>>();

  readonly #onOverflow: (jail: string) => void;
  /** When it was last reported, by jail. */
  readonly #overflowed = new Map<string, number>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param onOverflow told of a jail of which a failure is judged without its command, as too many wait; once a minute */
  constructor(
    clock: () => number,
    run: RunProgram = runProgram,
    onOverflow: (jail: string) => void = () => {},
  ) {
    this.#clock = clock;
    this.#run = run;
    this.#onOverflow = onOverflow;
  }

  /** Answers false if the jail has no such command, it fails, or too many wait for theirs. Never rejects. */
  async ignores({ name, ignoreCommand, ignoreCache }: JailSpec, failure: Failure): Promise<boolean> {
    if (!ignoreCommand) return false;
    const key = ignoreCache && fill(ignoreCache.key, failure);
    const known = key === undefined ? undefined : this.#answers.get(name)?.get(key);
    if (known && known.until > this.#clock()) return known.ignored;
    const code = await this.#queued(ignoreCommand.map((word) => fill(word, failure)));
    if (code === 'overflow') {
      this.#overflow(name);
      return false;
    }
    const ignored = code === 0;
    if (ignoreCache && key !== undefined) this.#remember(name, ignoreCache, key, ignored);
    return ignored;
  }

  #overflow(jail: string): void {
    const now = this.#clock();
    if (Math.abs(now - (this.#overflowed.get(jail) ?? -Infinity)) < 60_000) return;
    this.#overflowed.set(jail, now);
    this.#onOverflow(jail);
  }

  async #queued(argv: readonly string[]): Promise<number | 'overflow' | undefined> {
    if (this.#running >= mostRunning) {
      if (this.#waiting.length >= mostWaiting) return 'overflow';
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      return await this.#run(argv);
    } catch {
      // A command that can't be run at all, for a NUL in a word for instance, decides nothing.
      return undefined;
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  #remember(jail: string, { maxCount, maxTime }: IgnoreCache, key: string, ignored: boolean): void {
    const answers = this.#answers.get(jail) ?? new Map<string, Answer>();
    this.#answers.set(jail, answers);
    answers.delete(key);
    answers.set(key, { ignored, until: this.#clock() + maxTime * 1000 });
    const [oldest] = answers.keys();
    if (answers.size > maxCount && oldest !== undefined) answers.delete(oldest);
  }
}

/** Replaces fail2ban's tags. Text from a log line stays one word: it is never split, and no shell sees it. */
function fill(word: string, { id, time, attempts, fields }: Failure): string {
  const isAddress = canonicalAddress(id) !== undefined;
  const values: Readonly<Record<string, string>> = {
    ip: id,
    fid: id,
    'F-ID': id,
    'ip-host': id,
    family: isAddress ? (familyOf(id) === 4 ? 'inet4' : 'inet6') : '',
    time: String(time / 1000),
    failures: String(attempts),
  };
  return word.replaceAll(/<([\w-]+)>/g, (tag, name: string) => {
    const value =
      values[name] ?? (name.startsWith('F-') ? (fields[name.slice(2).toLowerCase()] ?? '') : undefined);
    return value ?? tag;
  });
}

export async function runProgram([program, ...args]: readonly string[]): Promise<number | undefined> {
  if (program === undefined) return undefined;
  // Not before the first command: most hosts have none, and it takes 10 MB.
  const { execa } = await import('execa');
  const { exitCode } = await execa(program, args, {
    reject: false,
    timeout: commandTimeout,
    stdio: 'ignore',
  });
  return exitCode;
}
