import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';

/** A message as Docker's syslog driver sends it (RackSec/srslog formatter.go, UnixFormatter), with its newline. */
export function syslogFrame(
  tag: string,
  text: string,
  { stream = 1, at = Date.now() }: { stream?: 1 | 2; at?: number } = {},
): string {
  const date = new Date(at);
  const day = `${date.toString().slice(4, 7)} ${String(date.getDate()).padStart(2)}`;
  return `<${stream === 1 ? 30 : 27}>${day} ${date.toTimeString().slice(0, 8)} ${tag}[1]: ${text}\n`;
}

/** Sends to an address as `syslog-address` names it. */
export class SyslogSender {
  /** Resolves when there is room for more. */
  readonly send: (frame: string) => Promise<void>;
  readonly close: () => void;

  private constructor(send: (frame: string) => Promise<void>, close: () => void) {
    this.send = send;
    this.close = close;
  }

  static async open(address: string): Promise<SyslogSender> {
    const [, scheme, host, port] = /^(\w+):\/\/(.*?)(?::(\d+))?$/.exec(address) ?? [];
    if (scheme === 'udp') {
      const socket = createSocket('udp4');
      const send = async (frame: string): Promise<void> => {
        await new Promise<void>((resolve) => {
          socket.send(frame, Number(port), host, () => resolve());
        });
        // A receiver in this process reads before more is sent: the kernel drops what it has no room for.
        await setImmediate();
      };
      return new SyslogSender(send, () => void socket.close());
    }
    const socket = port === undefined ? connect(host!) : connect(Number(port), host);
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    const send = async (frame: string): Promise<void> => {
      if (!socket.write(frame)) await once(socket, 'drain');
    };
    return new SyslogSender(send, () => void socket.destroy());
  }
}
