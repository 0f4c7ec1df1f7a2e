import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { shellWords } from './shell-words.ts';

/** Where somebody types. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable;
}

export interface Conversation {
  /** Does what is typed; what goes wrong, it has told. */
  readonly answer: (words: readonly string[]) => Promise<unknown>;
  readonly help: string;
  readonly warn: (line: string) => void;
}

const prompt = 'fail2ban> ';

/**
 * `fail2ban-client -i`: asks for commands until `exit` or `quit`. A command that fails ends nothing.
 *
 * @returns false if the input ended without one of these
 */
export async function converse(
  { answer, help, warn }: Conversation,
  { input, output }: Terminal,
): Promise<boolean> {
  const terminal = input.isTTY === true;
  const lines = createInterface({ input, output, terminal, prompt });
  let isOpen = true;
  lines.once('close', () => (isOpen = false));
  const ask = (): void => {
    // What comes through a pipe has ended long before all of it is answered.
    if (!terminal) output.write(prompt);
    else if (isOpen) lines.prompt();
  };
  try {
    ask();
    for await (const line of lines) {
      if (line === 'exit' || line === 'quit') return true;
      if (line === 'help') output.write(help);
      else if (line !== '') await answerLine(line, answer, warn);
      ask();
    }
    output.write('\n');
    return false;
  } finally {
    lines.close();
  }
}

async function answerLine(
  line: string,
  answer: Conversation['answer'],
  warn: Conversation['warn'],
): Promise<void> {
  let words: readonly string[];
  try {
    words = shellWords(line);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    warn(error.message);
    return;
  }
  await answer(words);
}
