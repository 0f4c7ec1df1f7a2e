import { http } from '../http.ts';
import { Dock2banError, messageOf } from '../errors.ts';
import { apiVersion, type ErrorBody, type HandResult, type JailStatus, type Status } from './api.ts';

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

  async #call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const { status, text } = await this.#send(method, `/${apiVersion}${path}`, body);
    if (status < 300) {
      const answer: Body = JSON.parse(text);
      return answer;
    }
    const { error }: ErrorBody = JSON.parse(text);
    throw new Dock2banError(error.code, error.message);
  }

  #send(method: string, path: string, body: unknown): Promise<{ status: number; text: string }> {
    const socketPath = this.#socket;
    return new Promise((resolve, reject) => {
      const outgoing = http.request({ socketPath, method, path, timeout: 10_000 }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 500, text: Buffer.concat(chunks).toString() }),
        );
        incoming.on('error', reject);
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 10 s')));
      outgoing.on('error', (cause) => {
        reject(
          new Dock2banError('unreachable', `no controller answers on ${socketPath}: ${messageOf(cause)}`, {
            fix: 'is it running? In compose: docker exec dock2ban dock2ban …; elsewhere: start `dock2ban run`, as root, or name its --socket',
            cause,
          }),
        );
      });
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
