// Preloaded into the daemon: tells its parent what it holds on to, each time it is asked.
import { readdirSync } from 'node:fs';

/** What a process holds on to, bytes and numbers. */
export interface Sample {
  /** After garbage collection. */
  readonly heap: number;
  /** Outside of the heap: buffers. */
  readonly external: number;
  readonly resident: number;
  /** Timers, sockets, watchers, … */
  readonly handles: number;
  readonly files: number;
}

process.on('message', () => {
  // Twice: what finalizers let go of is collected by the second.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed: heap, external, rss: resident } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().length;
  const files = readdirSync('/proc/self/fd').length;
  process.send?.({ heap, external, resident, handles, files } satisfies Sample);
});
// The parent's channel alone keeps nothing running.
process.channel?.unref();
