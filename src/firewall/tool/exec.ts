import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { classify } from './errors.ts';

export interface ExecOptions {
  readonly input?: string;
  /** Default 20 s: no firewall tool takes longer unless it hangs. */
  readonly timeoutMs?: number;
}

/** Runs a tool to its end, never through a shell. Throws FirewallError if it fails. */
export type Exec = (
  command: string,
  args: readonly string[],
  options?: ExecOptions,
) => Promise<{ readonly stdout: string }>;

/** A tool that runs on and takes commands from its standard input. */
export interface Conversation {
  write(text: string): void;
  /** Closes its input, so that it ends. */
  end(): void;
}

/** What a conversation tells its owner. */
export interface ConversationListener {
  /** A piece of its standard error. */
  said(text: string): void;
  /** It is over, for whatever reason. Called once. */
  ended(): void;
}

/** The one way from here to the programs of the system; everything else in this folder is testable without them. */
export interface Tools {
  readonly run: Exec;
  converse(command: string, args: readonly string[], listener: ConversationListener): Conversation;
}

const defaultTimeoutMs = 20_000;

// Messages are classified by their text, so they must come untranslated. No tool has business at home: `nft -i` would keep a history there.
const env = { LC_ALL: 'C', HOME: '/nonexistent' };

/**
 * The system's own tools. Started without a library: one that is made for more leaves 0.2 MB of garbage behind each run, which the resident
 * memory of a daemon that runs a few every 5 s shows.
 */
export const systemTools: Tools = {
  run: (command, args, { input, timeoutMs = defaultTimeoutMs } = {}) =>
    new Promise((resolve, reject) => {
      const stdin = input === undefined ? 'ignore' : 'pipe';
      const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: [stdin, 'pipe', 'pipe'] });
      const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
      let timedOut = false;
      const timer = setTimeout(() => {
        timedOut = true;
        child.kill('SIGKILL');
      }, timeoutMs);
      const fail = (spawnCode: string | undefined, cause?: Error): void =>
        reject(classify({ command, stderr: stderr(), timedOut, spawnCode }, cause));
      child.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        fail(error.code, error);
      });
      child.on('close', (code) => {
        clearTimeout(timer);
        if (code === 0) resolve({ stdout: stdout() });
        else fail(undefined);
      });
      // One that ended without reading all of it tells why by its exit code.
      child.stdin?.on('error', () => undefined).end(input);
    }),

  converse: (command, args, listener) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let hasEnded = false;
    const ended = (): void => {
      if (!hasEnded) listener.ended();
      hasEnded = true;
    };
    child.on('error', ended).on('close', ended);
    // A tool that died shows as its end; writing to it meanwhile is no error of its own.
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => listener.said(text));
    return { write: (text) => void child.stdin.write(text), end: () => void child.stdin.end() };
  },
};

/** Gathers what comes, and gives it back as text. */
function collect(stream: Readable | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}
