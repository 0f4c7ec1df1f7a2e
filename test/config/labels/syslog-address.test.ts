import { describe, expect, it } from 'vitest';
import { type ReceiverAddress, receiverOf } from '../../../src/config/labels/syslog-address.ts';

const receivers: readonly ReceiverAddress[] = [
  { transport: 'udp', host: '127.0.0.1', port: 5514 },
  { transport: 'udp', host: '127.0.0.1', port: 514 },
  { transport: 'tcp', host: '::1', port: 5514 },
  { transport: 'tls', host: '192.0.2.1', port: 6514 },
  { transport: 'unix', path: '/run/dock2ban/syslog.sock' },
];

describe("a container's syslog-address", () => {
  it.each([
    ['udp://127.0.0.1:5514', true],
    ['udp://localhost:5514', true],
    ['udp://127.0.0.1', true],
    ['udp://127.0.0.1:5515', false],
    ['udp://127.0.0.2:5514', false],
    ['udp://example.com:5514', false],
    ['tcp://127.0.0.1:5514', false],
    ['tcp://localhost:5514', true],
    ['tcp://[::1]:5514', true],
    ['tcp://[0:0::1]:5514', true],
    ['tcp+tls://192.0.2.1:6514', true],
    ['tcp://192.0.2.1:6514', false],
    ['unix:///run/dock2ban/syslog.sock', true],
    ['unix:///dev/log', false],
    ['unixgram:///run/dock2ban/syslog.sock', false],
    ['', false],
    ['udp://', false],
    ['nonsense', false],
  ])('%s: ours %s', (address, ours) => {
    expect(receiverOf({ 'syslog-address': address }, receivers) !== undefined).toBe(ours);
  });

  it("that isn't given is the host's syslog", () => {
    expect(receiverOf({}, receivers)).toBeUndefined();
  });
});
