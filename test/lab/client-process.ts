// A client of the lab: runs in a network namespace of its own, takes commands as lines of JSON on standard input and answers on
// standard output. It ends with its input.
import { createInterface } from 'node:readline';
import type {
  ClientAnswerLine,
  ClientAnswers,
  ClientCommand,
  ClientRequestLine,
  Outcome,
  RequestOptions,
} from './client-protocol.ts';
import { HttpConnection } from './http-connection.ts';
import { runSeries } from './request-series.ts';
import { udpRequest } from './udp-request.ts';

const connections = new Map<number, { connection: HttpConnection; url: URL; host: string | undefined }>();
let lastConnection = 0;

async function perform(command: ClientCommand): Promise<unknown> {
  switch (command.op) {
    case 'get':
      return get(new URL(command.url), command.options);
    case 'series':
      return runSeries(new URL(command.url), command.options);
    case 'open':
      return open(new URL(command.url), command.options);
    case 'send':
      return send(command.connection, command.path, command.options);
    case 'close':
      return close(command.connection);
    default:
      throw new Error(`no such command: ${JSON.stringify(command satisfies never)}`);
  }
}

async function open(url: URL, options: RequestOptions): Promise<ClientAnswers['open']> {
  const opened = await HttpConnection.open(url, options.timeoutMs ?? 1000);
  if (!(opened instanceof HttpConnection)) return { failed: opened };
  lastConnection += 1;
  connections.set(lastConnection, { connection: opened, url, host: options.host });
  return { connection: lastConnection };
}

async function send(number: number, path: string, options: RequestOptions): Promise<Outcome> {
  const known = connections.get(number);
  if (!known) return 'closed';
  const host = options.host ?? known.host ?? known.url.host;
  return known.connection.request(path, host, options.timeoutMs ?? 1000, options.user);
}

function close(number: number): null {
  connections.get(number)?.connection.close();
  connections.delete(number);
  return null;
}

async function get(url: URL, options: RequestOptions): Promise<Outcome> {
  const timeoutMs = options.timeoutMs ?? 1000;
  if (url.protocol === 'udp:') return udpRequest(url, timeoutMs);
  const started = performance.now();
  const connection = await HttpConnection.open(url, timeoutMs);
  if (!(connection instanceof HttpConnection)) return connection;
  const left = Math.max(1, timeoutMs - (performance.now() - started));
  const path = url.pathname + url.search;
  const outcome = await connection.request(path, options.host ?? url.host, left, options.user);
  connection.close();
  return outcome;
}

function answer(line: ClientAnswerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

answer({ id: 0, answer: 'ready' });
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, command }: ClientRequestLine = JSON.parse(line);
  perform(command).then(
    (result) => answer({ id, answer: result }),
    (error: unknown) => answer({ id, error: String(error) }),
  );
});
lines.on('close', () => process.exit(0));
