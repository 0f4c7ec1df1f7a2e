/** A signal that aborts with SIGINT and SIGTERM, and when nobody reads what is printed any more. */
export function untilInterrupted(): AbortSignal {
  const end = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => end.abort());
  process.stdout.on('error', () => end.abort());
  return end.signal;
}
