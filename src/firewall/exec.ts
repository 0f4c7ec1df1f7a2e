import { execa, ExecaError } from 'execa';
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

// Messages are classified by their text, so they must come untranslated.
const env = { LC_ALL: 'C' };

/** The system's own tools. */
export const systemTools: Tools = {
  run: async (command, args, { input, timeoutMs = defaultTimeoutMs } = {}) => {
    try {
      const { stdout } = await execa(command, args, {
        env,
        timeout: timeoutMs,
        stripFinalNewline: false,
        ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
      });
      return { stdout };
    } catch (error) {
      if (!(error instanceof ExecaError)) throw error;
      const stderr: unknown = error.stderr;
      throw classify(
        {
          command,
          stderr: typeof stderr === 'string' ? stderr : '',
          timedOut: error.timedOut,
          spawnCode: error.code,
        },
        error,
      );
    }
  },

  converse: (command, args, listener) => {
    const child = execa(command, args, {
      env,
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: 'pipe',
      buffer: false,
      reject: false,
    });
    // A tool that died shows as its end; writing to it meanwhile is no error of its own.
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => listener.said(text));
    void child.finally(() => listener.ended());
    return { write: (text) => void child.stdin.write(text), end: () => void child.stdin.end() };
  },
};
