import { describe, expect, it } from 'vitest';
import {
  parseAllowedSenders,
  parseListenAddresses,
  reachedAt,
  requireSenders,
  SenderCheck,
} from '../../../src/sources/syslog/listen-address.ts';
import { kernelDrops } from '../../../src/sources/syslog/udp-drops.ts';

const one = (text: string) => parseListenAddresses(text)[0]!;

describe('addresses to listen on', () => {
  it('are URLs', () => {
    const text =
      'udp://127.0.0.1:5514, tcp://[::1]:5514,tls://192.0.2.1,tcp+tls://localhost:6514 unix:///run/x.sock';
    expect(parseListenAddresses(text)).toMatchObject([
      { transport: 'udp', host: '127.0.0.1', port: 5514, url: 'udp://127.0.0.1:5514' },
      { transport: 'tcp', host: '::1', port: 5514 },
      { transport: 'tls', host: '192.0.2.1', port: 514 },
      { transport: 'tls', host: '127.0.0.1', port: 6514 },
      { transport: 'unix', path: '/run/x.sock' },
    ]);
    expect(parseListenAddresses('')).toEqual([]);
  });

  it.each([
    ['unixgram:///run/x.sock', /datagram/, /unix:\/\/\/run\/x.sock/],
    ['udp://example.com:514', /IP address/, /--syslog-listen/],
    ['udp://127.0.0.1:0', /IP address and port/, /--syslog-listen/],
    ['udp://127.0.0.1:70000', /IP address and port/, /--syslog-listen/],
    ['unix://x.sock', /absolute/, /unix:\/\/\//],
    ['127.0.0.1:5514', /no address/, /udp:\/\//],
    ['udp://127.0.0.1:1,udp://127.0.0.1:1', /twice/, /once/],
  ])('%s is refused with what to do', (text, message, fix) => {
    expect(() => parseListenAddresses(text)).toThrow(
      expect.objectContaining({
        code: 'syslog-listen',
        message: expect.stringMatching(message),
        fix: expect.stringMatching(fix),
      }),
    );
  });
});

describe('senders', () => {
  it.each(['udp://0.0.0.0:5514', 'tcp://192.0.2.1:5514', 'tls://[::]:6514'])(
    'must be named for %s',
    (url) => {
      const addresses = parseListenAddresses(`unix:///x.sock,tcp://127.1.2.3:5514,${url}`);
      expect(() => requireSenders(addresses, [])).toThrow(
        expect.objectContaining({
          message: expect.stringContaining(url),
          fix: expect.stringContaining('--syslog-allow'),
        }),
      );
      expect(() => requireSenders(addresses, parseAllowedSenders('192.0.2.0/24'))).not.toThrow();
      expect(() => requireSenders(addresses.slice(0, 2), [])).not.toThrow();
    },
  );

  it.each([
    ['udp://127.0.0.1:1', '127.0.0.1', true],
    ['tcp://[::1]:1', '::1', true],
    ['udp://127.0.0.1:1', '192.0.2.7', false],
    ['udp://0.0.0.0:1', '192.0.2.7', true],
    ['udp://[::]:1', '::ffff:192.0.2.7', true],
    ['udp://0.0.0.0:1', '192.0.3.7', false],
    ['udp://0.0.0.0:1', '127.0.0.1', false],
    ['udp://[::]:1', '2001:db8::7', true],
    ['udp://[::]:1', '2001:db8::8', false],
    ['udp://[::]:1', 'fe80::1%eth0', false],
    ['tcp://0.0.0.0:1', undefined, false],
    ['unix:///x', undefined, true],
  ])('%s takes lines from %s: %s', (listener, sender, accepted) => {
    const check = new SenderCheck(parseAllowedSenders('192.0.2.0/24,2001:db8::7'));
    expect(check.accepts(one(listener), sender)).toBe(accepted);
  });

  it('that are no addresses are refused', () => {
    expect(() => parseAllowedSenders('192.0.2.0/24,docker')).toThrow(
      expect.objectContaining({ code: 'syslog-allow', message: '"docker" is no address or network' }),
    );
  });
});

it('a listener on all addresses is reached at those of the host', () => {
  const hosts = (url: string) =>
    reachedAt(one(url), ['127.0.0.1', '192.0.2.1', '2001:db8::1']).map(
      (address) => 'host' in address && address.host,
    );
  expect(hosts('udp://0.0.0.0:1')).toEqual(['127.0.0.1', '192.0.2.1']);
  expect(hosts('udp://[::]:1')).toEqual(['127.0.0.1', '::1', '192.0.2.1', '2001:db8::1']);
  expect(hosts('udp://192.0.2.9:1')).toEqual(['192.0.2.9']);
});

it("the kernel's drops are found by address and port", () => {
  const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  410: 0100007F:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 42
  411: 00000000:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 7
`;
  const table6 = `  sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode ref pointer drops
  410: 00000000000000000000000001000000:158A 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 4713 2 0000000000000000 5
  411: B80D0120000000000000000001000000:158A 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 4713 2 0000000000000000 6
`;
  expect(kernelDrops(table, '127.0.0.1', 5514)).toBe(42);
  expect(kernelDrops(table, '0.0.0.0', 5514)).toBe(7);
  expect(kernelDrops(table, '127.0.0.1', 5515)).toBeUndefined();
  expect(kernelDrops(table6, '::1', 5514)).toBe(5);
  expect(kernelDrops(table6, '2001:db8::1', 5514)).toBe(6);
});
