import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type {
  ClientAnswerLine,
  ClientAnswers,
  ClientCommand,
  Outcome,
  RequestOptions,
  RequestRecord,
  SeriesOptions,
} from './client-protocol.ts';

const program = fileURLToPath(new URL('client-process.ts', import.meta.url));

type ClientProcess = ReturnType<typeof startProcess>;

interface Pending {
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

/** A connection that a client keeps open. */
export interface OpenConnection extends AsyncDisposable {
  /** Sends one more request over it. */
  get(path: string, options?: RequestOptions): Promise<Outcome>;
}

/** A machine on the lab's network with addresses of its own: an attacker, or an honest client. */
export class Client implements AsyncDisposable {
  readonly ip4: string;
  readonly ip6: string;
  readonly #process: ClientProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #disconnect: () => Promise<void>;
  #lastId = 0;

  private constructor(
    process: ClientProcess,
    addresses: { ip4: string; ip6: string },
    disconnect: () => Promise<void>,
  ) {
    this.#process = process;
    this.#disconnect = disconnect;
    this.ip4 = addresses.ip4;
    this.ip6 = addresses.ip6;
  }

  /**
   * Starts the client's process in a new network namespace, with no interface yet.
   *
   * @param disconnect removes its interface from the lab
   */
  static async start(
    addresses: { ip4: string; ip6: string },
    disconnect: () => Promise<void>,
  ): Promise<Client> {
    const client = new Client(startProcess(), addresses, disconnect);
    await client.#listen();
    return client;
  }

  /** The process that holds the network namespace. */
  get pid(): number {
    return this.#process.pid!;
  }

  /** One GET request over a connection of its own; to a `udp://` URL, one datagram. */
  async get(url: string, options: RequestOptions = {}): Promise<Outcome> {
    return this.#ask({ op: 'get', url, options });
  }

  /** A bounded series of GET requests at a fixed rate. */
  async series(url: string, options: SeriesOptions): Promise<readonly RequestRecord[]> {
    return this.#ask({ op: 'series', url, options });
  }

  /**
   * Opens a connection and keeps it.
   *
   * @throws if it can't be opened
   */
  async open(url: string, options: RequestOptions = {}): Promise<OpenConnection> {
    const opened = await this.#ask({ op: 'open', url, options });
    if ('failed' in opened) throw new Error(`no connection from ${this.ip4} to ${url}: ${opened.failed}`);
    const { connection } = opened;
    return {
      get: async (path, more = {}) => this.#ask({ op: 'send', connection, path, options: more }),
      [Symbol.asyncDispose]: async () => void (await this.#ask({ op: 'close', connection })),
    };
  }

  /** Ends the process; its addresses vanish from the lab. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#process;
    await this.#disconnect();
  }

  async #listen(): Promise<void> {
    const ready = this.#expect(0);
    const lines = createInterface({ input: this.#process.stdout });
    lines.on('line', (line) => {
      const id = Number(/^\{"id":(\d+)/.exec(line)?.[1]);
      this.#pending.get(id)?.resolve(line);
      this.#pending.delete(id);
    });
    this.#process.stdin.on('error', () => undefined);
    void this.#rejectAtEnd();
    await ready;
  }

  async #rejectAtEnd(): Promise<void> {
    await this.#process;
    for (const { reject } of this.#pending.values()) reject(new Error(`the client ${this.ip4} has ended`));
    this.#pending.clear();
  }

  async #ask<C extends ClientCommand>(command: C): Promise<ClientAnswers[C['op']]> {
    this.#lastId += 1;
    const line = this.#expect(this.#lastId);
    this.#process.stdin.write(`${JSON.stringify({ id: this.#lastId, command })}\n`);
    const answer: ClientAnswerLine<ClientAnswers[C['op']]> = JSON.parse(await line);
    if ('error' in answer) throw new Error(answer.error);
    return answer.answer;
  }

  async #expect(id: number): Promise<string> {
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
  }
}

// The return type is execa's, inferred from the options.
function startProcess() {
  return execa('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', process.execPath, program], {
    buffer: false,
    reject: false,
    stderr: 'inherit',
  });
}
