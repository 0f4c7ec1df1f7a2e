import type { IncomingMessage } from 'node:http';
import { Dock2banError } from '../errors.ts';
import type { LogEvent } from './view-api.ts';

/** Which events a client wants; see `EventQuery`. */
export interface WantedEvents {
  readonly since?: number | undefined;
  readonly last?: number | undefined;
  readonly jail?: string | undefined;
  readonly follow: boolean;
}

/** The path of the stream. */
export function eventsPath({ since, last, jail, follow }: WantedEvents): string {
  const query = new URLSearchParams({ follow: String(follow) });
  if (since !== undefined) query.set('since', String(since));
  if (last !== undefined) query.set('last', String(last));
  if (jail !== undefined) query.set('jail', jail);
  return `/events?${query.toString()}`;
}

/** The texts of a streamed answer, as they come. @throws Dock2banError `cut-off` if it does not come to its end */
export async function* textsOf(incoming: IncomingMessage): AsyncGenerator<string> {
  incoming.setEncoding('utf8');
  try {
    for await (const text of incoming as AsyncIterable<string>) yield text;
  } catch (cause) {
    throw new Dock2banError('cut-off', 'the controller ended the answer before it was whole', { cause });
  }
}

/** All texts as one. */
export async function whole(texts: AsyncIterable<string>): Promise<string> {
  let all = '';
  for await (const text of texts) all += text;
  return all;
}

/** The events of a stream of server-sent events. */
export async function* eventsOf(texts: AsyncIterable<string>): AsyncGenerator<LogEvent> {
  let rest = '';
  for await (const text of texts) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue;
      const event: LogEvent = JSON.parse(line.slice('data: '.length));
      yield event;
    }
  }
}
