import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isIPv4, type Socket } from 'node:net';
import type { SourceLines } from '../source-update.ts';
import type { Prefix } from '../../net/address.ts';
import { asDock2banError, type Dock2banError } from '../../errors.ts';
import { FrameSplitter, maxMessageBytes } from './frame-splitter.ts';
import { LineIntake, type Producer } from './line-intake.ts';
import { type Counts, type ListenerCounts, noCounts } from './listener-counts.ts';
import { retryDelay } from '../retry-delay.ts';
import { SyslogClock } from './clock.ts';
import type { SyslogLine } from './follow-syslog-file.ts';
import { type ListenAddress, SenderCheck } from './listen-address.ts';
import { openListener, type TlsFiles } from './listener.ts';
import type { ListenerEvents } from './listener-events.ts';
import { findMessageHeader, messageText, receivedLine } from './message.ts';
import { kernelDrops } from './udp-drops.ts';

/**
 * Lines of the wanted programs, and what becomes of each listener. `refused`: a sender that isn't allowed, named once; `closed`: a connection that one of
 * the limits forbids, told now and then; `dropped`: datagrams were lost, how many since the last time, and in all.
 */
export type ReceiverUpdate =
  | SourceLines<{ readonly lines: readonly SyslogLine[] }>
  | { readonly type: 'lost'; readonly address: string; readonly error: Dock2banError }
  | { readonly type: 'resumed'; readonly address: string }
  | { readonly type: 'refused'; readonly address: string; readonly sender: string }
  | {
      readonly type: 'closed';
      readonly address: string;
      readonly sender: string | undefined;
      readonly reason: string;
    }
  | { readonly type: 'dropped'; readonly address: string; readonly count: number; readonly total: number };

export interface ReceiverOptions {
  readonly listen: readonly ListenAddress[];
  /** Senders that listeners on other addresses than loopback take lines from. */
  readonly allow: readonly Prefix[];
  readonly tls?: TlsFiles;
  /** Asked for each message; others are passed over. */
  readonly wanted: (program: string) => boolean;
  /** Stands in the lines of messages that name no host: this machine's name. */
  readonly hostname: string;
  /** The present, epoch milliseconds. */
  readonly now: () => number;
  readonly random?: () => number;
}

/** Bytes of wanted lines that may wait of one connection or datagram listener, and of all. */
const limits = { each: 1024 * 1024, all: 16 * 1024 * 1024 };
/** What a line costs beside its text. */
const lineOverhead = 200;
/** Milliseconds between two looks for dropped datagrams. */
const dropsEvery = 10_000;
/** Milliseconds from one closed connection of a listener that is told of to the next. */
const closedEvery = 600_000;
/** Refused senders that are named; whoever spoofs addresses has many. */
const mostNamed = 100;

/**
 * Receives syslog messages over UDP, TCP, TLS and unix sockets. A connection whose lines aren't taken fast enough isn't read
 * from until they are; datagrams are dropped then, and counted. Unlike files it has no position: what is sent while nobody
 * listens is lost.
 */
export class SyslogReceiver {
  readonly #options: ReceiverOptions;
  readonly #senders: SenderCheck;
  readonly #clock: SyslogClock;
  readonly #intake = new LineIntake<SyslogLine>(limits);
  readonly #counts: ReadonlyMap<ListenAddress, Counts>;
  readonly #notices: ReceiverUpdate[] = [];
  readonly #named = new Set<string>();
  /** When a closed connection was told of, by listener. */
  readonly #toldClosed = new Map<string, number>();
  readonly #reportedDrops = new Map<string, number>();

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#senders = new SenderCheck(options.allow);
    this.#clock = new SyslogClock(options.now);
    this.#counts = new Map(options.listen.map((address) => [address, noCounts()]));
  }

  /** What each listener has seen so far. */
  get stats(): ListenerCounts[] {
    return [...this.#counts].map(([address, counts]) => ({
      address: address.url,
      ...counts,
      kernelDropped: address.transport === 'udp' ? droppedByKernel(address.host, address.port) : undefined,
    }));
  }

  /** Listens until `signal` aborts. Call it once. Never throws. */
  async *receive(signal: AbortSignal): AsyncGenerator<ReceiverUpdate, void, undefined> {
    const end = new AbortController();
    const listening = AbortSignal.any([signal, end.signal]);
    const tasks = [...this.#counts].map(([address, counts]) => this.#keepOpen(address, counts, listening));
    let lookedAt = performance.now();
    try {
      while (!signal.aborted) {
        await this.#intake.wait(dropsEvery, signal);
        yield* this.#notices.splice(0);
        const lines = this.#intake.take();
        if (lines.length > 0) yield { type: 'lines', lines, position: String(this.#options.now()) };
        if (performance.now() - lookedAt < dropsEvery) continue;
        lookedAt = performance.now();
        yield* this.#newDrops();
      }
    } finally {
      end.abort();
      await Promise.all(tasks);
    }
  }

  async #keepOpen(address: ListenAddress, counts: Counts, signal: AbortSignal): Promise<void> {
    const { url } = address;
    let failures = 0;
    while (!signal.aborted) {
      const failed = Promise.withResolvers<Error | undefined>();
      const onAbort = (): void => failed.resolve(undefined);
      signal.addEventListener('abort', onAbort);
      let error: unknown;
      try {
        const listener = await openListener(
          address,
          this.#options.tls,
          this.#events(address, counts, failed.resolve),
        );
        if (failures > 0) this.#notify({ type: 'resumed', address: url });
        failures = 0;
        error = await failed.promise;
        await listener.close();
      } catch (thrown) {
        error = thrown;
      }
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) return;
      if (failures === 0)
        this.#notify({ type: 'lost', address: url, error: asDock2banError(error, 'syslog-listen') });
      const { random = Math.random } = this.#options;
      await delay(retryDelay(failures++, random), undefined, { signal }).catch(() => undefined);
    }
  }

  #events(address: ListenAddress, counts: Counts, failed: (error: Error) => void): ListenerEvents {
    const datagrams: Producer & { full: boolean } = {
      full: false,
      drained() {
        this.full = false;
      },
    };
    return {
      admits: (sender) => {
        const isAllowed = this.#senders.accepts(address, sender);
        if (!isAllowed) this.#refuse(address, counts, sender ?? 'unknown');
        return isAllowed;
      },
      connected: (socket, spoke) => this.#read(address, socket, counts, spoke),
      datagram: (bytes, sender) => {
        if (!this.#senders.accepts(address, sender)) this.#refuse(address, counts, sender);
        else if (datagrams.full) counts.dropped++;
        else datagrams.full = !this.#take(bytes, counts, datagrams);
      },
      closed: (sender, reason) => this.#close(address, counts, sender, reason),
      failed,
    };
  }

  #read(address: ListenAddress, socket: Socket, counts: Counts, spoke: () => void): void {
    const connection: Producer = { drained: () => void socket.resume() };
    let room = true;
    let isSilent = true;
    const splitter = new FrameSplitter((message) => {
      const { unreadable } = counts;
      if (!this.#take(message, counts, connection)) room = false;
      if (isSilent && counts.unreadable === unreadable) {
        isSilent = false;
        spoke();
      }
    });
    let cut = 0;
    counts.connections++;
    socket.on('data', (chunk: Buffer) => {
      room = true;
      const fits = splitter.accept(chunk);
      counts.cut += splitter.cutMessages - cut;
      cut = splitter.cutMessages;
      if (!fits) {
        this.#close(address, counts, socket.remoteAddress, 'the lengths of its messages do not fit');
        socket.destroy();
      } else if (!room) socket.pause();
    });
    socket.once('close', () => {
      counts.connections--;
    });
  }

  /** @returns false if no more should come for now */
  #take(bytes: Buffer, counts: Counts, producer: Producer): boolean {
    counts.messages++;
    if (bytes.length > maxMessageBytes) counts.cut++;
    const text = messageText(bytes.subarray(0, maxMessageBytes));
    const header = findMessageHeader(text);
    if (!header) {
      counts.unreadable++;
      return true;
    }
    const { wanted, hostname, now } = this.#options;
    if (!wanted(header.program)) return true;
    const received = receivedLine(text, header, { clock: this.#clock, hostname, received: now() });
    if (!received) {
      counts.unreadable++;
      return true;
    }
    return this.#intake.offer(producer, { ...received, size: bytes.length }, lineOverhead + text.length);
  }

  #refuse({ url }: ListenAddress, counts: Counts, sender: string): void {
    counts.refused++;
    const key = `${url} ${sender}`;
    if (this.#named.size >= mostNamed || this.#named.has(key)) return;
    this.#named.add(key);
    this.#notify({ type: 'refused', address: url, sender });
  }

  #close({ url }: ListenAddress, counts: Counts, sender: string | undefined, reason: string): void {
    counts.broken++;
    const now = performance.now();
    if (now - (this.#toldClosed.get(url) ?? -Infinity) < closedEvery) return;
    this.#toldClosed.set(url, now);
    this.#notify({ type: 'closed', address: url, sender, reason });
  }

  #notify(update: ReceiverUpdate): void {
    this.#notices.push(update);
    this.#intake.wake();
  }

  *#newDrops(): Generator<ReceiverUpdate> {
    for (const { address, dropped, kernelDropped = 0 } of this.stats) {
      const total = dropped + kernelDropped;
      const count = total - (this.#reportedDrops.get(address) ?? 0);
      this.#reportedDrops.set(address, total);
      if (count > 0) yield { type: 'dropped', address, count, total };
    }
  }
}

function droppedByKernel(host: string, port: number): number | undefined {
  try {
    return kernelDrops(readFileSync(`/proc/net/${isIPv4(host) ? 'udp' : 'udp6'}`, 'utf8'), host, port);
  } catch {
    return undefined;
  }
}
