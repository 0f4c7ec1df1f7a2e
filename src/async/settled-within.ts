import { Wake } from './wake.ts';

/** Waits for a promise, but no longer than `ms`, or until `signal` aborts. @returns whether it has settled */
export async function settledWithin(
  ms: number,
  promise: Promise<unknown>,
  signal: AbortSignal = new AbortController().signal,
): Promise<boolean> {
  const wake = new Wake();
  const onSettled = (): void => wake.set();
  promise.then(onSettled, onSettled);
  return wake.wait(ms, signal);
}
