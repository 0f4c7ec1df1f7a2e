import { setFlagsFromString } from 'node:v8';

/**
 * Lets filters use V8's linear regular-expression engine, for long lines and where backtracking gets out of hand. To be
 * called once at start, before filters are made: without it such lines cost more, with the same results.
 */
export function boundBacktracking(): void {
  setFlagsFromString('--enable-experimental-regexp-engine');
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
}
