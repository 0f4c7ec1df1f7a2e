import type { Socket } from 'node:net';

/** Connections that one listener may have: a sender is a container. */
export const mostConnections = 1024;
/** Of these, how many one address of another machine may have. */
export const mostOfSender = 512;

interface Guest {
  readonly socket: Socket;
  readonly sender: string | undefined;
  /** It has sent a message. */
  hasSpoken: boolean;
}

/** Why a connection was closed, and whose it was; for people. */
export type OnClosed = (sender: string | undefined, reason: string) => void;

/**
 * The open connections of a listener. None is closed for being silent, as a container may log nothing for days and its driver can lose
 * a message when it finds its connection closed. But where all places are taken, who has never sent a message makes way.
 */
export class ConnectionGate {
  /** The oldest first. */
  readonly #guests = new Map<unknown, Guest>();
  readonly #onClosed: OnClosed;

  constructor(onClosed: OnClosed) {
    this.#onClosed = onClosed;
  }

  /** @param sender the address of another machine; undefined: this one  @returns false: the connection was closed */
  admit(socket: Socket, sender: string | undefined): boolean {
    if (sender !== undefined && this.#countOf(sender) >= mostOfSender) {
      return this.#turnAway(socket, sender, `it has ${mostOfSender} others`);
    }
    if (this.#guests.size >= mostConnections) {
      const silent = this.#guests.entries().find(([, { hasSpoken }]) => !hasSpoken);
      if (!silent) return this.#turnAway(socket, sender, `there are ${mostConnections} others`);
      const [key, { socket: oldest, sender: whose }] = silent;
      this.#guests.delete(key);
      this.#turnAway(oldest, whose, `it never sent a message, and there are ${mostConnections} others`);
    }
    const key = keyOf(socket);
    this.#guests.set(key, { socket, sender, hasSpoken: false });
    socket.once('close', () => {
      if (this.#guests.get(key)?.socket === socket) this.#guests.delete(key);
    });
    return true;
  }

  /** A message came over a connection, or over what is encrypted in it. */
  spoke(socket: Socket): void {
    const guest = this.#guests.get(keyOf(socket));
    if (guest) guest.hasSpoken = true;
  }

  destroyAll(): void {
    for (const { socket } of this.#guests.values()) socket.destroy();
  }

  #countOf(sender: string): number {
    return this.#guests.values().reduce((sum, guest) => sum + (guest.sender === sender ? 1 : 0), 0);
  }

  #turnAway(socket: Socket, sender: string | undefined, reason: string): false {
    socket.destroy();
    this.#onClosed(sender, reason);
    return false;
  }
}

/** The same for a TLS socket and the one below it. */
function keyOf(socket: Socket): unknown {
  const { remoteAddress, remotePort } = socket;
  return remotePort === undefined ? socket : `${remoteAddress} ${remotePort}`;
}
