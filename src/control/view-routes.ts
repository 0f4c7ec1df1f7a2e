import { setImmediate as turn } from 'node:timers/promises';
import type { Route, Sink } from './route.ts';
import { StreamReply } from './route.ts';
import type { EventSource, StreamedEvent } from './view-api.ts';
import { addressOf, eventQuery, type EventQuery, importable, importRequest } from './view-requests.ts';

/** Milliseconds between two signs of life: proxies and clients end streams that are silent. */
const heartbeatEvery = 15_000;

/** What an operator looks at, and takes along. */
export const viewRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: /^\/events$/,
    answer: ({ views }, { query, header }) => {
      const wanted = eventQuery(query, header('last-event-id'));
      return new StreamReply('text/event-stream', (sink) => sendEvents(views.events, wanted, sink));
    },
  },
  { method: 'GET', path: /^\/stats$/, answer: ({ views }) => views.stats() },
  {
    method: 'GET',
    // A prefix may be written with its slash as it is.
    path: /^\/why\/([^/]+(?:\/\d+)?)$/,
    answer: ({ views }, { params: [text = ''] }) => views.why(addressOf(text)),
  },
  {
    method: 'GET',
    path: /^\/export$/,
    answer: ({ views }) =>
      new StreamReply('application/json', async (sink) => {
        for (const text of views.export()) {
          sink.send(text);
          await sink.drained();
          // Matching goes on in between.
          await turn();
        }
      }),
  },
  {
    method: 'POST',
    path: /^\/import$/,
    answer: async ({ views }, call) => {
      const { bans, skipped } = importable((await call.body(importRequest)).bans);
      return { ...(await views.import(bans)), skipped };
    },
  },
];

async function sendEvents(source: EventSource, wanted: EventQuery, sink: Sink): Promise<void> {
  const send = (event: StreamedEvent): void => {
    if (wanted.jail === undefined || event.jail === wanted.jail) sink.send(textOf(event));
  };
  const held = wanted.since === undefined ? [] : source.after(wanted.since);
  const past = wanted.jail === undefined ? held : held.filter(({ jail }) => jail === wanted.jail);
  for (const event of past.slice(Math.max(0, past.length - (wanted.last ?? past.length)))) send(event);
  if (!wanted.follow) return;
  const unsubscribe = source.subscribe(send);
  const heartbeat = setInterval(() => sink.send(': dock2ban is there\n\n'), heartbeatEvery);
  try {
    // Something at once: who waits for the first bytes knows that the stream is open.
    sink.send(': follows\n\n');
    await ended(sink.signal);
  } finally {
    clearInterval(heartbeat);
    unsubscribe();
  }
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html; JSON has no line breaks. */
function textOf({ id, event, json }: StreamedEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${json}\n\n`;
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
