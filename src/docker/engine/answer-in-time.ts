/**
 * Awaits one call, and rejects when `signal` aborts or `ms` have passed: also if
 * the call itself goes on. The signal that `send` gets then aborts, too.
 */
export async function answerInTime<T>(
  send: (abortSignal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  ms: number,
): Promise<T> {
  signal.throwIfAborted();
  const call = new AbortController();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = (reason: unknown): void => {
    reject(reason);
    call.abort(reason);
  };
  const onAbort = (): void => stop(signal.reason);
  const late = Object.assign(new Error(`no answer within ${ms / 1000} s`), { code: 'ETIMEDOUT' });
  const timer = setTimeout(() => stop(late), ms);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([send(call.signal), stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
