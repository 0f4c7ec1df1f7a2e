import { plainText } from '../text/plain-text.ts';

/** Where a command prints. */
export interface Output {
  /** Whatever is in the text, a terminal shows it and does nothing else. */
  readonly print: (text: string) => void;
  /** As `print`, to stderr. */
  readonly warn: (text: string) => void;
}

/** Where a command prints that has colours or moves the cursor. */
export interface Screen {
  readonly print: Output['print'];
  /** The text as it is: what others wrote must be one line of plain text in it. */
  readonly paint: (text: string) => void;
}

/** Ends quietly when nobody reads any more: `dock2ban regex … | head -1`. @returns the stream */
function readable(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  if (stream.listenerCount('error') === 0)
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
  return stream;
}

/** This process's own. */
export const output: Output & Screen = {
  print: (text) => void readable(process.stdout).write(plainText(text)),
  paint: (text) => void readable(process.stdout).write(text),
  warn: (text) => void readable(process.stderr).write(plainText(text)),
};

/** A value as JSON for programs, with its line break. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
