import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { http } from '../net/http.ts';
import { Dock2banError, messageOf } from '../errors.ts';
import { apiVersion, type ErrorBody, type HandResult, type JailStatus, type Status } from './api.ts';
import type { AttemptResult, JailEdit, JailOptions, ReloadResult } from './live-api.ts';
import type { ImportAnswer, LogEvent, Stats, Why } from './view-api.ts';
import { reachHint } from './reach-hint.ts';
import { eventsOf, eventsPath, textsOf, whole, type WantedEvents } from './view-client.ts';

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
  attempt(jail: string, ips: readonly string[], lines: readonly string[] = []): Promise<AttemptResult> {
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
