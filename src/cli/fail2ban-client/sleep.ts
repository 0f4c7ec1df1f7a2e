import { setTimeout as delay } from 'node:timers/promises';
import { pythonRepr } from '../python-repr.ts';
import { refusal, wordAt, type Call } from './command.ts';

/** Seconds beyond which a timer can't count. */
const longest = 2_147_483;

/** `sleep SECONDS`: answers later; for scripts that give many commands at once. */
export async function sleep({ control, words }: Call): Promise<string> {
  const text = wordAt(words, 0);
  await control.status();
  if (!/^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?\s*$/i.test(text))
    throw refusal(`could not convert string to float: ${pythonRepr(text)}`);
  const seconds = Number(text);
  if (seconds < 0) throw refusal('sleep length must be non-negative');
  if (seconds > longest) throw refusal('timestamp too large to convert to C _PyTime_t');
  await delay(seconds * 1000);
  return 'None';
}
