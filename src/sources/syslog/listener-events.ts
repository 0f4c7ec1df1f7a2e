import type { Socket } from 'node:net';
import type { OnClosed } from './connection-gate.ts';

/** What a listener tells. */
export interface ListenerEvents {
  /** Asked before anything is read of a connection. @param sender its IP address; undefined on a unix socket */
  admits(sender: string | undefined): boolean;
  /** A connection was made. @param spoke to be told of its first message */
  connected(socket: Socket, spoke: () => void): void;
  /** A message came by itself. The buffer is the receiver's to keep. */
  datagram(bytes: Buffer, sender: string): void;
  /** A connection was closed that one of the limits forbids. */
  readonly closed: OnClosed;
  /** It failed after it had been open; nothing more will come. Called once at most. */
  failed(error: Error): void;
}

/** An open listener. */
export interface SyslogListener {
  /** Resolves when it and all of its connections are closed. */
  close(): Promise<void>;
}
