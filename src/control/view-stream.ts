import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { StreamReply } from './route.ts';

/** UTF-16 code units that may wait for a reader; one for whom more waits is dropped. */
export const mostWaiting = 1024 * 1024;

/** Sends a streamed answer. Resolves when it is over, whichever side ended it. */
export async function sendStream(outgoing: ServerResponse, { type, write }: StreamReply): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  outgoing.on('error', () => gone.abort());
  outgoing.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
  outgoing.flushHeaders();
  try {
    await write({
      signal: gone.signal,
      send: (text) => {
        if (gone.signal.aborted) return;
        outgoing.write(text);
        if (outgoing.writableLength > mostWaiting) outgoing.destroy();
      },
      drained: async () => {
        gone.signal.throwIfAborted();
        if (outgoing.writableNeedDrain) await once(outgoing, 'drain', { signal: gone.signal });
      },
    });
    outgoing.end();
  } catch {
    // The status has been sent: an answer that is cut off is all that can tell.
    outgoing.destroy();
  }
}
