import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import type { EventSource, StreamedEvent, Views } from './controller.ts';
import type { EventQuery } from './requests.ts';

/** Where a streamed answer is written. */
interface Sink {
  /** Aborts when the reader is gone, was dropped for being too slow, or the server closes. */
  readonly signal: AbortSignal;
  /** Sends at once. A reader for whom too much waits is dropped. */
  readonly send: (text: string) => void;
  /** Resolves when there is room for more; rejects when the reader is gone. */
  readonly drained: () => Promise<void>;
}

/** What is answered bit by bit. */
export class StreamReply {
  readonly type: string;
  readonly write: (sink: Sink) => Promise<void>;

  /** @param write ends the answer when it resolves */
  constructor(type: string, write: (sink: Sink) => Promise<void>) {
    this.type = type;
    this.write = write;
  }
}

/** UTF-16 code units that may wait for a reader; one for whom more waits is dropped. */
export const mostWaiting = 1024 * 1024;

/** Milliseconds between two signs of life: proxies and clients end streams that are silent. */
const heartbeatEvery = 15_000;

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

/** All bans; matching goes on in between. */
export function exportStream(views: Pick<Views, 'export'>): StreamReply {
  return new StreamReply('application/json', async (sink) => {
    for (const text of views.export()) {
      sink.send(text);
      await sink.drained();
      await turn();
    }
  });
}

/** Past events that are wanted, and then those that come. */
export function eventStream(source: EventSource, wanted: EventQuery): StreamReply {
  return new StreamReply('text/event-stream', async ({ send, signal }) => {
    const isWanted = ({ jail }: StreamedEvent): boolean => wanted.jail === undefined || jail === wanted.jail;
    const past = wanted.since === undefined ? [] : source.after(wanted.since).filter(isWanted);
    for (const event of past.slice(Math.max(0, past.length - (wanted.last ?? past.length))))
      send(textOf(event));
    if (!wanted.follow) return;
    const unsubscribe = source.subscribe((event) => {
      if (isWanted(event)) send(textOf(event));
    });
    const heartbeat = setInterval(() => send(': dock2ban is there\n\n'), heartbeatEvery);
    try {
      // Something at once: who waits for the first bytes knows that the stream is open.
      send(': follows\n\n');
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      clearInterval(heartbeat);
      unsubscribe();
    }
  });
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html; JSON has no line breaks. */
function textOf({ id, event, json }: StreamedEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${json}\n\n`;
}
