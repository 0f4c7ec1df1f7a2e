import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { http } from '../net/http.ts';
import { Dock2banError, messageOf } from '../errors.ts';
import {
  apiVersion,
  type ErrorBody,
  type HandResult,
  type ImportAnswer,
  type JailEdit,
  type JailOptions,
  type JailStatus,
  type LogEvent,
  type ReloadResult,
  type Stats,
  type Status,
  type Why,
} from './api.ts';

/** Which events a client wants; see `EventQuery`. */
export interface WantedEvents {
  readonly since?: number | undefined;
  readonly last?: number | undefined;
  readonly jail?: string | undefined;
  readonly follow: boolean;
}

/** The command line's view of a running controller. Every method throws Dock2banError: `unreachable`, or the server's own code. */
export class ControlClient {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  status(): Promise<Status> {
    return this.#call('GET', '/status');
  }

  jail(name: string): Promise<JailStatus> {
    return this.#call('GET', `/jails/${encodeURIComponent(name)}`);
  }

  banned(): Promise<Record<string, string[]>> {
    return this.#call('GET', '/bans');
  }

  ban(jail: string, ips: readonly string[]): Promise<HandResult> {
    return this.#call('POST', '/bans', { jail, ips });
  }

  unban(jail: string | undefined, ips: readonly string[]): Promise<HandResult> {
    return this.#call('POST', '/unbans', { jail, ips });
  }

  /** Reads the configuration again; of one jail, or of all. @param restart what they have counted is forgotten, too */
  reload(jail?: string, restart?: boolean): Promise<ReloadResult> {
    return this.#call('POST', '/reload', { jail, restart });
  }

  options(jail: string): Promise<JailOptions> {
    return this.#call('GET', `/jails/${encodeURIComponent(jail)}/options`);
  }

  edit(jail: string, edit: JailEdit): Promise<JailOptions> {
    return this.#call('PATCH', `/jails/${encodeURIComponent(jail)}/options`, edit);
  }

  async start(jail: string): Promise<void> {
    await this.#call('POST', `/jails/${encodeURIComponent(jail)}/start`);
  }

  async stop(jail: string): Promise<void> {
    await this.#call('POST', `/jails/${encodeURIComponent(jail)}/stop`);
  }

  /** Counts failures of addresses as if they had been logged now. */
  attempt(jail: string, ips: readonly string[], lines: readonly string[] = []): Promise<HandResult> {
    return this.#call('POST', `/jails/${encodeURIComponent(jail)}/attempts`, { ips, lines });
  }

  stats(): Promise<Stats> {
    return this.#call('GET', '/stats');
  }

  why(ip: string): Promise<Why> {
    return this.#call('GET', `/why/${encodeURIComponent(ip)}`);
  }

  import(bans: readonly unknown[]): Promise<ImportAnswer> {
    return this.#call('POST', '/import', { bans });
  }

  /** Log events as they come, until `signal` aborts or the controller ends. */
  async *events(wanted: WantedEvents, signal?: AbortSignal): AsyncGenerator<LogEvent> {
    yield* eventsOf(this.#stream(eventsPath(wanted), signal));
  }

  /** All bans as JSON, in pieces. */
  export(): AsyncGenerator<string> {
    return this.#stream('/export');
  }

  async *#stream(path: string, signal?: AbortSignal): AsyncGenerator<string> {
    const incoming = await this.#open('GET', `/${apiVersion}${path}`, undefined, signal);
    const texts = textsOf(incoming);
    if (incoming.statusCode === 200) yield* texts;
    else throw errorOf(await whole(texts));
  }

  async #call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    for (let tries = 1; ; tries++) {
      const incoming = await this.#open(method, `/${apiVersion}${path}`, body);
      const text = await whole(textsOf(incoming));
      const { statusCode = 500, headers } = incoming;
      if (statusCode < 300) {
        const answer: Body = JSON.parse(text);
        return answer;
      }
      if (statusCode !== 429 || tries === mostTries) throw errorOf(text);
      await delay(Number(headers['retry-after'] ?? 1) * 1000);
    }
  }

  #open(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<IncomingMessage> {
    const socketPath = this.#socket;
    return new Promise((resolve, reject) => {
      const options = { socketPath, method, path, timeout: silentFor, ...(signal && { signal }) };
      const outgoing = http.request(options, resolve);
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${silentFor / 1000} s`)));
      outgoing.on('error', (cause: NodeJS.ErrnoException) => {
        reject(
          new Dock2banError('unreachable', `no controller answers on ${socketPath}: ${messageOf(cause)}`, {
            fix: reachHint(cause.code),
            cause,
          }),
        );
      });
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

/** How often a request is made that the controller takes only later: it says when. */
const mostTries = 30;
/** Milliseconds without a sign of life; streams have one every 15 seconds. */
const silentFor = 20_000;

function errorOf(text: string): Dock2banError {
  const { error }: ErrorBody = JSON.parse(text);
  return new Dock2banError(error.code, error.message, error.fix === undefined ? {} : { fix: error.fix });
}

/** The path of the stream. */
function eventsPath({ since, last, jail, follow }: WantedEvents): string {
  const query = new URLSearchParams({ follow: String(follow) });
  if (since !== undefined) query.set('since', String(since));
  if (last !== undefined) query.set('last', String(last));
  if (jail !== undefined) query.set('jail', jail);
  return `/events?${query.toString()}`;
}

/** The texts of a streamed answer, as they come. @throws Dock2banError `cut-off` if it does not come to its end */
async function* textsOf(incoming: IncomingMessage): AsyncGenerator<string> {
  incoming.setEncoding('utf8');
  try {
    for await (const text of incoming as AsyncIterable<string>) yield text;
  } catch (cause) {
    throw new Dock2banError('cut-off', 'the controller ended the answer before it was whole', { cause });
  }
}

/** All texts as one. */
async function whole(texts: AsyncIterable<string>): Promise<string> {
  let all = '';
  for await (const text of texts) all += text;
  return all;
}

/** The events of a stream of server-sent events. */
async function* eventsOf(texts: AsyncIterable<string>): AsyncGenerator<LogEvent> {
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

/** How to reach the controller after its socket failed with this code of the system. */
export function reachHint(code: string | undefined): string {
  return code === 'EACCES'
    ? 'only root may use it: run the command with sudo, or as root in the container (docker exec -u 0 dock2ban dock2ban …)'
    : 'is it running? In compose: docker exec dock2ban dock2ban …; elsewhere: start `dock2ban run`, as root, or name its --socket';
}
