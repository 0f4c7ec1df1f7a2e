import { hostname } from 'node:os';
import { Dock2banError } from '../../errors.ts';
import {
  parseAllowedSenders,
  parseListenAddresses,
  requireSenders,
} from '../../sources/syslog/listen-address.ts';
import type { TlsFiles } from '../../sources/syslog/listener.ts';
import type { ReceiverOptions } from '../options.ts';
import type { ReceiverSettings } from './receiver-reader.ts';

/**
 * The operator's options for the syslog receiver, checked; undefined: none is asked for.
 * @throws Dock2banError `syslog-listen`, `syslog-allow`
 */
export function receiverSettings(options: ReceiverOptions): ReceiverSettings | undefined {
  const listen = parseListenAddresses(options.listen);
  const allow = parseAllowedSenders(options.allow);
  requireSenders(listen, allow);
  const tls = tlsFiles(options);
  if (!tls && listen.some(({ transport }) => transport === 'tls')) {
    throw new Dock2banError('syslog-listen', 'a listener on tls:// needs a certificate and its key', {
      fix: 'name both: --syslog-tls-cert cert.pem --syslog-tls-key key.pem',
    });
  }
  if (listen.length === 0) return undefined;
  return { listen, allow, hostname: hostname(), ...(tls && { tls }) };
}

function tlsFiles({
  tlsCert: cert,
  tlsKey: key,
  tlsClientCa: clientCa,
}: ReceiverOptions): TlsFiles | undefined {
  if (cert === undefined || key === undefined) return undefined;
  return { cert, key, ...(clientCa !== undefined && { clientCa }) };
}
