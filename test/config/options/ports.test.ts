import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseActions } from '../../../src/config/options/actions.ts';
import { ConfigError } from '../../../src/config/conf/config-error.ts';
import { formatPorts, mergeCloses, parsePorts, publishedPorts } from '../../../src/config/options/ports.ts';
import type { PublishedPort } from '../../../src/docker/snapshot.ts';

const shown = (choice: ReturnType<typeof parsePorts>) =>
  typeof choice === 'string' ? choice : formatPorts(choice);

describe('parsePorts', () => {
  it.each([
    ['published', 'published'],
    ['all', 'all'],
    ['0:65535', 'all'],
    ['1:65535', 'all'],
    ['80', '80/tcp'],
    ['443,80/tcp', '80/tcp, 443/tcp'],
    ['80,81,82/tcp 83:90', '80:90/tcp'],
    ['53/udp,53', '53/tcp, 53/udp'],
    ['53/all', '53/tcp, 53/udp, 53/sctp'],
    ['8000-8010/udp', '8000:8010/udp'],
    ['http,https', '80/tcp, 443/tcp'],
    ['SSH', '22/tcp'],
    ['imap2,pop3', '110/tcp, 143/tcp'],
  ])('%s', (text, expected) => {
    expect(shown(parsePorts(text))).toBe(expected);
  });

  it('gives entries without a protocol the given ones', () => {
    expect(shown(parsePorts('53,80/tcp', ['udp']))).toBe('80/tcp, 53/udp');
  });

  it.each([
    ['', 'no port is named', 'write published, all, or ports such as 80,443'],
    ['htps', 'unknown service "htps"', 'did you mean https?'],
    ['publshed', 'unknown service "publshed"', 'did you mean published?'],
    ['70000', 'invalid port "70000"', undefined],
    ['0', 'invalid port "0"', undefined],
    ['90:80', 'invalid port "90:80"', undefined],
    ['80/icmp', 'invalid protocol "icmp"', undefined],
    ['80/tcp/udp', 'invalid port "80/tcp/udp"', undefined],
    ['80;reboot', 'invalid port "80;reboot"', undefined],
  ])('refuses %j', (text, message, fix) => {
    expect(() => parsePorts(text)).toThrow(message);
    if (fix !== undefined) expect(() => parsePorts(text)).toThrow(expect.objectContaining({ fix }) as Error);
  });

  it('gives sorted ports that neither overlap nor touch, or a ConfigError', () => {
    const entry = fc.oneof(
      fc.integer({ min: -1, max: 66_000 }).map(String),
      fc.tuple(fc.nat(200), fc.nat(200)).map(([a, b]) => `${a}:${b}`),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1 }), (entries) => {
        try {
          const ports = parsePorts(entries.join(','));
          if (typeof ports === 'string') return true;
          return ports.every((port, index) => {
            const before = ports[index - 1];
            return (
              port.first <= port.last &&
              (!before || before.protocol !== port.protocol || before.last + 1 < port.first)
            );
          });
        } catch (error) {
          return error instanceof ConfigError;
        }
      }),
    );
  });
});

describe('publishedPorts', () => {
  const port = (
    hostPort: number,
    hostAddress = '0.0.0.0',
    protocol: PublishedPort['protocol'] = 'tcp',
  ): PublishedPort => ({
    protocol,
    hostAddress,
    hostPort,
    containerPort: 80,
  });

  it.each([
    ['both families of all interfaces are one', [port(80), port(80, '::')], '80/tcp'],
    ['a range published port by port', [port(8002), port(8000), port(8001)], '8000:8002/tcp'],
    [
      'one address is kept',
      [port(80, '192.0.2.1'), port(81, '192.0.2.1'), port(82)],
      '82/tcp, 192.0.2.1 80:81/tcp',
    ],
    ['protocols stay apart', [port(443), port(443, '', 'udp')], '443/tcp, 443/udp'],
    ['none', [], ''],
  ])('%s', (_, ports, expected) => {
    expect(formatPorts(publishedPorts(ports))).toBe(expected);
  });
});

it('everything outweighs any list', () => {
  expect(mergeCloses([publishedPorts([]), 'all'])).toBe('all');
  expect(mergeCloses([])).toEqual([]);
});

describe('parseActions', () => {
  it.each([
    ['iptables-multiport[name=x, port="http,https", protocol="tcp", chain="INPUT"]', '80/tcp, 443/tcp', []],
    ['nftables[type=multiport, port="ssh"]', '22/tcp', []],
    ['ufw[port=25, protocol=tcp]\nfirewallcmd-ipset[port=53, protocol="udp"]', '25/tcp, 53/udp', []],
    ['iptables-allports[name=x, port="22"]', 'all', []],
    ['nftables[type=allports, port="22"]', 'all', []],
    ['iptables[port="0:65535"]', 'all', []],
    ['ufw', 'all', []],
    [
      'iptables-multiport[port=80]\nsendmail-whois[dest="a@b"] cloudflare',
      '80/tcp',
      ['sendmail-whois', 'cloudflare'],
    ],
    ['smtp.py[dest=x]', undefined, ['smtp.py']],
    ['pfoo', undefined, ['pfoo']],
  ])('%s', (text, closes, notRun) => {
    const actions = parseActions(text, () => undefined);
    expect(actions.closes && shown(actions.closes)).toBe(closes);
    expect(actions.notRun).toEqual(notRun);
  });
});
