import { BlockList, isIP } from 'node:net';
import { canonicalAddress, parsePrefix, type Prefix } from '../../net/address.ts';
import { Dock2banError } from '../../errors.ts';

/** Where the syslog receiver listens. `url` is how the operator wrote it. */
export type ListenAddress =
  | {
      readonly transport: 'udp' | 'tcp' | 'tls';
      /** An IP address. */
      readonly host: string;
      readonly port: number;
      readonly url: string;
    }
  | { readonly transport: 'unix'; readonly path: string; readonly url: string };

/** The port of Docker's `syslog-address` when it names none. */
const defaultPort = 514;
const example = '--syslog-listen udp://127.0.0.1:5514,unix:///run/dock2ban/syslog.sock';

/**
 * Reads `udp://127.0.0.1:5514,tcp://[::1]:5514,tls://…,unix:///path`, separated by commas or spaces.
 * @throws Dock2banError `syslog-listen`
 */
export function parseListenAddresses(text: string): ListenAddress[] {
  const addresses = wordsOf(text).map(parseListenAddress);
  const seen = new Set<string>();
  for (const { url } of addresses) {
    if (seen.has(url)) throw listenError(`${url} is named twice`, 'name it once');
    seen.add(url);
  }
  return addresses;
}

function parseListenAddress(url: string): ListenAddress {
  const [, scheme = '', rest = ''] = /^([a-z+]+):\/\/(.+)$/.exec(url) ?? [];
  switch (scheme) {
    case 'unix':
      if (!rest.startsWith('/'))
        throw listenError(`${url} names no absolute path`, `write it as in ${example}`);
      return { transport: 'unix', path: rest, url };
    case 'unixgram':
      throw listenError(
        `${url}: datagram unix sockets can't be read here`,
        `use a stream socket, unix://${rest}, for dock2ban and for the containers' syslog-address`,
      );
    case 'udp':
    case 'tcp':
    case 'tls':
    case 'tcp+tls': {
      const [, bracketed, plain, port = String(defaultPort)] =
        /^(?:\[([\da-fA-F:.]+)\]|([^:/[\]]+))(?::(\d{1,5}))?\/?$/.exec(rest) ?? [];
      const name = bracketed ?? plain ?? '';
      const host = canonicalAddress(name === 'localhost' ? '127.0.0.1' : name);
      if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
        throw listenError(`${url} names no IP address and port`, `write it as in ${example}`);
      }
      return { transport: scheme === 'tcp+tls' ? 'tls' : scheme, host, port: Number(port), url };
    }
    default:
      throw listenError(
        `${JSON.stringify(url)} is no address to listen on`,
        `use udp://, tcp://, tls:// or unix://, as in ${example}`,
      );
  }
}

/**
 * Reads the senders that listeners on other addresses than loopback take lines from: `192.0.2.0/24,2001:db8::7`.
 * @throws Dock2banError `syslog-allow`
 */
export function parseAllowedSenders(text: string): Prefix[] {
  return wordsOf(text).map((word) => {
    const prefix = parsePrefix(word);
    if (!prefix) {
      throw new Dock2banError('syslog-allow', `${JSON.stringify(word)} is no address or network`, {
        fix: 'name the senders of log lines as in --syslog-allow 192.0.2.0/24,2001:db8::7',
      });
    }
    return prefix;
  });
}

/** Whether only this machine can send to it. */
export function isLocal(address: ListenAddress): boolean {
  return address.transport === 'unix' || isLoopback(address.host);
}

/**
 * Refuses listeners that would take log lines from anybody: who can write a log can have others banned.
 * @throws Dock2banError `syslog-listen`
 */
export function requireSenders(addresses: readonly ListenAddress[], allowed: readonly Prefix[]): void {
  const open = addresses.find((address) => !isLocal(address));
  if (!open || allowed.length > 0) return;
  throw listenError(
    `${open.url} would take log lines, and so bans, from everyone who reaches it`,
    'name the senders, as in --syslog-allow 192.0.2.0/24, or listen on 127.0.0.1 or a unix socket',
  );
}

/** The addresses that reach a listener: those of the host for one that listens on all of them. */
export function reachedAt(listener: ListenAddress, hostAddresses: readonly string[]): ListenAddress[] {
  if (listener.transport === 'unix' || !['0.0.0.0', '::'].includes(listener.host)) return [listener];
  const addresses = [
    '127.0.0.1',
    '::1',
    ...hostAddresses.flatMap((address) => canonicalAddress(address) ?? []),
  ];
  // A socket bound to :: takes IPv4 as well.
  const reached = addresses.filter((address) => listener.host === '::' || isIP(address) === 4);
  return [...new Set(reached)].map((host) => Object.assign({}, listener, { host }));
}

/** Whether a listener takes lines from a sender: one on loopback those of loopback, any other the allowed ones alone. */
export class SenderCheck {
  readonly #allowed = new BlockList();

  constructor(allowed: readonly Prefix[]) {
    for (const { address, bits, family } of allowed) this.#allowed.addSubnet(address, bits, `ipv${family}`);
  }

  /** @param sender its IP address; undefined: it is gone already */
  accepts(listener: ListenAddress, sender: string | undefined): boolean {
    if (listener.transport === 'unix') return true;
    const address = canonicalAddress((sender ?? '').replace(/%.*$/, ''));
    if (address === undefined) return false;
    if (isLocal(listener)) return isLoopback(address);
    return this.#allowed.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
}

/** @param address canonical */
function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

function listenError(message: string, fix: string): Dock2banError {
  return new Dock2banError('syslog-listen', message, { fix });
}
