import { Dock2banError } from '../../errors.ts';
import type { Control } from './control.ts';

/** One call of a command. */
export interface Call {
  readonly control: Control;
  /** What follows the command's name. */
  readonly words: readonly string[];
  /** Tells on the side, on stderr; takes a line without its end. */
  readonly warn: (line: string) => void;
  /** Whether the configuration files have such a jail, to be run or not. */
  readonly defines: (jail: string) => Promise<boolean>;
}

/** Answers what fail2ban-client prints, without the final newline. @throws Dock2banError */
export type Command = (call: Call) => Promise<string>;

/**
 * What fail2ban's server would refuse: fail2ban-client prints the message on stdout and ends with 255.
 * @param fix for the person, on stderr
 */
export function refusal(message: string, fix?: string): Dock2banError {
  return new Dock2banError('refused', message, fix === undefined ? {} : { fix });
}

/** What fail2ban-client itself gives up on: on stderr, 255. */
export function failure(message: string, fix?: string): Dock2banError {
  return new Dock2banError('failed', message, fix === undefined ? {} : { fix });
}

/** fail2ban's answer where a word is missing. */
export function incomplete(): Dock2banError {
  return refusal('Sorry but the command is invalid');
}

/** The word at a place. @throws Dock2banError if the call ends before */
export function wordAt(words: readonly string[], index: number): string {
  const word = words[index];
  if (word === undefined) throw incomplete();
  return word;
}

/** The words from a place on, of which there must be one. */
export function wordsFrom(words: readonly string[], index: number): readonly string[] {
  wordAt(words, index);
  return words.slice(index);
}
