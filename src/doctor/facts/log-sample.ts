import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { messageOf } from '../../errors.ts';
import { FrameDemuxer } from '../../sources/docker/frames.ts';
import type { LogLine } from '../../sources/log-line.ts';
import type { ContainerFacts, EngineFacts } from './engine-facts.ts';

/** The end of a file. */
export interface FileTail {
  /** Whole lines, each ended by a newline. */
  readonly text: string;
  /** When it was last written, epoch milliseconds. */
  readonly modifiedAt: number;
}

/** So much of the end of a file is looked at. */
const tailBytes = 1024 * 1024;
/** So many messages of a container. */
export const tailMessages = 1000;
/** More than this of a container's log is not read. */
const mostLogBytes = 8 * 1024 * 1024;

/** @throws what the file system says */
export async function readTail(path: string): Promise<FileTail> {
  await using file = await open(path, 'r');
  const { size, mtimeMs } = await file.stat();
  const start = Math.max(0, size - tailBytes);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, tailBytes)), 0, undefined, start);
  const text = buffer.toString('utf8', 0, bytesRead);
  const first = start === 0 ? 0 : text.indexOf('\n') + 1;
  return { text: text.slice(first, text.lastIndexOf('\n') + 1), modifiedAt: mtimeMs };
}

/** Milliseconds for the log of one container. */
const patience = 10_000;

/** The last lines of a container by Docker's log API, or why they can't be read. */
export async function readContainerLog(
  { client }: EngineFacts,
  { snapshot, hasTerminal }: ContainerFacts,
  until: AbortSignal,
): Promise<readonly LogLine[] | string> {
  try {
    const signal = AbortSignal.any([until, AbortSignal.timeout(patience)]);
    const query = { since: '0', follow: false, tail: tailMessages };
    const stream = await client.logs(snapshot.id, query, signal);
    const texts = hasTerminal ? (await collect(stream)).toString().split('\n') : await messagesOf(stream);
    return texts.flatMap((text) => lineOf(text) ?? []);
  } catch (thrown) {
    return messageOf(thrown);
  }
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > mostLogBytes) break;
  }
  return Buffer.concat(chunks);
}

async function messagesOf(stream: Readable): Promise<string[]> {
  const messages: string[] = [];
  const demuxer = new FrameDemuxer((_, bytes, start, end) =>
    messages.push(bytes.toString('utf8', start, end)),
  );
  demuxer.accept(await collect(stream));
  return messages;
}

/** Docker puts its own timestamp and a space before each line. */
function lineOf(text: string): LogLine | undefined {
  const space = text.indexOf(' ');
  const time = Date.parse(text.slice(0, space));
  if (space < 0 || Number.isNaN(time)) return undefined;
  return { text: text.slice(space + 1).replace(/\r?\n$/, ''), time, dateRemoved: false };
}
