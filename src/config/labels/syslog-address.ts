import { canonicalAddress } from '../../net/address.ts';

/** An address at which dock2ban receives syslog messages itself. */
export type ReceiverAddress =
  | { readonly transport: 'udp' | 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly transport: 'unix'; readonly path: string };

/** The port of a `syslog-address` that names none (moby daemon/logger/syslog/syslog.go). */
const defaultPort = 514;
const loopback: readonly string[] = ['127.0.0.1', '::1'];

/** Names a listener of the receiver. Those of one protocol and port on several addresses pass for one. */
export function listenerKey(address: ReceiverAddress): string {
  return address.transport === 'unix' ? `unix:${address.path}` : `${address.transport}:${address.port}`;
}

/**
 * The receiver of our own that a container's syslog driver sends to, by its option `syslog-address`, `udp://127.0.0.1:5514`, `tcp://…`,
 * `tcp+tls://…` or `unix:///path`. Undefined: none.
 * @param receivers with addresses that can be sent to, not `0.0.0.0`
 */
export function receiverOf(
  options: Readonly<Record<string, string>>,
  receivers: readonly ReceiverAddress[],
): ReceiverAddress | undefined {
  const [, scheme = '', rest = ''] = /^([a-z+]+):\/\/(.*)$/.exec(options['syslog-address'] ?? '') ?? [];
  const transport = scheme === 'tcp+tls' ? 'tls' : scheme;
  if (transport === 'unix') {
    return receivers.find((receiver) => receiver.transport === 'unix' && receiver.path === rest);
  }
  const [, bracketed, plain, port = String(defaultPort)] =
    /^(?:\[([^\]]+)\]|([^:/]+))(?::(\d{1,5}))?\/?$/.exec(rest) ?? [];
  const name = bracketed ?? plain ?? '';
  const hosts = name === 'localhost' ? loopback : [canonicalAddress(name)];
  return receivers.find(
    (receiver) =>
      receiver.transport === transport &&
      receiver.transport !== 'unix' &&
      receiver.port === Number(port) &&
      hosts.includes(receiver.host),
  );
}
