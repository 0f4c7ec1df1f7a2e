import type { IncomingMessage, RequestOptions } from 'node:http';
import { addAbortSignal } from 'node:stream';
import { http } from '../../net/http.ts';
import { oneLine } from '../../text/plain-text.ts';
import { answerInTime } from './answer-in-time.ts';
import { connectionTo, describeDockerHost, type DockerHost } from './docker-host.ts';
import { engineError, NotAnEngine, Refusal, TooMuch } from './engine-error.ts';

/** What one answer may take. */
export interface AnswerLimits {
  readonly bytes: number;
  /** From the question to the answer's last byte. Milliseconds. */
  readonly ms: number;
}

/** Bytes of an error's text that are read, and characters that are told. */
const errorText = { read: 65_536, told: 300 };
/** Bytes of an answer's headers. */
const maxHeaderSize = 16_384;
/**
 * Objects, lists and members of one answer: an empty object takes three bytes to send and twenty times as many to keep.
 * The list of 50,000 containers has about four million.
 */
const mostParts = 8_000_000;

/**
 * Asks an engine by GET, which changes nothing, and nothing else. Whatever answers there: no redirect is followed, and no answer takes
 * more bytes or time than it may. Every call rejects with a Dock2banError, also when `signal` aborts.
 */
export class EngineHttp {
  readonly #name: string;
  readonly #target: RequestOptions;
  readonly #request: typeof http.request;

  /** @param certDir directory of ca.pem, cert.pem and key.pem */
  constructor(host: DockerHost, certDir: string | undefined) {
    this.#name = describeDockerHost(host);
    const isTls = 'protocol' in host && host.protocol === 'https';
    this.#request = isTls ? process.getBuiltinModule('node:https').request : http.request;
    this.#target = { ...connectionTo(host, certDir), method: 'GET', maxHeaderSize };
  }

  /** @param read makes something of the answer's JSON; what it throws means that no engine gives such an answer */
  async json<T>(
    path: string,
    { bytes, ms }: AnswerLimits,
    read: (answer: unknown) => T,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#naming(path, async () => {
      const body = await answerInTime(
        async (abort) => bodyOf(await this.#open(path, abort), bytes),
        signal,
        ms,
      );
      refuseTooManyParts(body);
      try {
        return read(JSON.parse(body.toString()));
      } catch (error) {
        throw new NotAnEngine('not the answer of a Docker engine', { cause: error });
      }
    });
  }

  /**
   * An answer that goes on until `signal` aborts.
   * @param ms within which it must begin; undefined: whenever it does
   */
  async stream(path: string, ms: number | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    const open = (abort: AbortSignal): Promise<IncomingMessage> => this.#open(path, abort);
    const answer = this.#naming(path, () =>
      ms === undefined ? open(signal) : answerInTime(open, signal, ms),
    );
    return addAbortSignal(signal, await answer);
  }

  async #open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = this.#request({ ...this.#target, path, signal }, resolve);
    request.on('error', reject);
    request.on('upgrade', (_, socket) => {
      socket.destroy();
      reject(new Error('the answer changes to another protocol'));
    });
    request.end();
    const response = await promise;
    // What is left when nobody reads any more is nobody's error.
    response.on('error', () => undefined);
    if (response.statusCode !== 200) throw await refusal(response);
    return response;
  }

  async #naming<T>(path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw engineError(error, `GET ${shortened(path)}`, this.#name);
    }
  }
}

/** For people: without the API's version and the query, ids as Docker prints them. */
function shortened(path: string): string {
  return path.replace(/^\/v\d+\.\d+|\?.*$/g, '').replace(/([\da-f]{12})[\da-f]+/, '$1');
}

async function refusal(response: IncomingMessage): Promise<Refusal> {
  const { statusCode = 0, headers } = response;
  if (statusCode >= 300 && statusCode < 400) {
    response.destroy();
    return new Refusal(
      statusCode,
      told(`a redirect to ${headers.location ?? 'nowhere'}`),
      headers.location ?? '',
    );
  }
  const body = (await bodyOf(response, errorText.read)).toString();
  let text = body;
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) text = String(parsed.message);
  } catch {
    // Its own words, then.
  }
  return new Refusal(statusCode, told(text));
}

function told(text: string): string {
  return oneLine(text).slice(0, errorText.told);
}

async function bodyOf(response: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw new TooMuch(`the answer is longer than ${most.toLocaleString('en')} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function refuseTooManyParts(body: Buffer): void {
  // Fewer bytes can't have so many.
  if (body.length <= mostParts) return;
  let parts = 0;
  for (const byte of body) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) parts += 1;
  if (parts > mostParts)
    throw new TooMuch(`the answer has more than ${mostParts.toLocaleString('en')} parts`);
}
