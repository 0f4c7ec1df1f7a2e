import type { IncomingMessage, RequestOptions } from 'node:http';
import { addAbortSignal } from 'node:stream';
import { Dock2banError } from '../../errors.ts';
import { http } from '../../net/http.ts';
import { oneLine } from '../../text/plain-text.ts';
import { answerInTime } from './answer-in-time.ts';
import { connectionTo, describeDockerHost, type DockerHost } from './docker-host.ts';
import { engineError, TooMuch } from './engine-error.ts';

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
 * more bytes or time than it may.
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

  /** The answer's JSON. @param call what it is called in errors */
  async json(call: string, path: string, limits: AnswerLimits, signal: AbortSignal): Promise<unknown> {
    return this.#naming(call, async () => {
      const read = async (abort: AbortSignal): Promise<Buffer> =>
        bodyOf(await this.#open(path, abort), limits.bytes);
      return parse(await answerInTime(read, signal, limits.ms));
    });
  }

  /**
   * An answer that goes on until `signal` aborts.
   * @param ms within which it must begin; undefined: whenever it does
   */
  async stream(
    call: string,
    path: string,
    ms: number | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    return this.#naming(call, () =>
      ms === undefined
        ? this.#open(path, signal)
        : answerInTime((abort) => this.#open(path, abort), signal, ms),
    ).then((stream) => addAbortSignal(signal, stream));
  }

  /** An error that says that it isn't an engine that answers. */
  notAnEngine(call: string, cause: unknown): Dock2banError {
    return new Dock2banError(
      'docker-refused',
      `${call} at ${this.#name}: not the answer of a Docker engine`,
      {
        fix: 'check --docker-host',
        cause,
      },
    );
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

  async #naming<T>(call: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof NotJson) throw this.notAnEngine(call, error);
      throw engineError(error, call, this.#name);
    }
  }
}

class NotJson extends Error {}

/** An answer other than 200, as `engineError` takes it. */
class Refusal extends Error {
  readonly statusCode: number;
  readonly location: string | undefined;

  constructor(statusCode: number, text: string, location: string | undefined) {
    super(`(HTTP code ${statusCode}) ${oneLine(text).slice(0, errorText.told)}`);
    this.statusCode = statusCode;
    this.location = location;
  }
}

async function refusal(response: IncomingMessage): Promise<Refusal> {
  const { statusCode = 0, headers } = response;
  if (statusCode >= 300 && statusCode < 400) {
    response.destroy();
    return new Refusal(statusCode, `a redirect to ${headers.location ?? 'nowhere'}`, headers.location ?? '');
  }
  const body = (await bodyOf(response, errorText.read)).toString();
  let text = body;
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) text = String(parsed.message);
  } catch {
    // Its own words, then.
  }
  return new Refusal(statusCode, text, undefined);
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

function parse(body: Buffer): unknown {
  // Fewer bytes can't have so many.
  if (body.length > mostParts && parts(body) > mostParts) {
    throw new TooMuch(`the answer has more than ${mostParts.toLocaleString('en')} parts`);
  }
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new NotJson('no JSON', { cause: error });
  }
}

function parts(body: Buffer): number {
  let count = 0;
  for (const byte of body) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) count += 1;
  return count;
}
