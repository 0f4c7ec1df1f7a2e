import { describe, expect, it } from 'vitest';
import { Dock2banError } from '../../src/errors.ts';
import { checkIPv6, checkJails } from '../../src/doctor/checks/check-containers.ts';
import { checkEngine } from '../../src/doctor/checks/check-engine.ts';
import { checkController, checkPrivileges, checkState } from '../../src/doctor/checks/check-host.ts';
import { checkClock, checkSightings, checkSyslogFile } from '../../src/doctor/checks/check-logs.ts';
import type { ContainerFacts, EngineFacts, NetworkFacts } from '../../src/doctor/facts/engine-facts.ts';
import type { HostFacts } from '../../src/doctor/facts/host-facts.ts';
import { isInTheWay, type Finding } from '../../src/doctor/finding.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import { container } from '../config/container.ts';
import { jailSpec } from '../jail/jail-spec.ts';

const host: HostFacts = {
  capabilities: (1n << 12n) | (1n << 13n),
  addresses: ['192.0.2.1', '172.17.0.1'],
  stateDirectory: 'writable',
};

const facts = (
  networks: readonly Pick<NetworkFacts, 'name' | 'driver' | 'hasIPv6'>[],
  more: Parameters<typeof container>[2] = {},
): ContainerFacts => ({
  snapshot: container('web', {}, more),
  hasTerminal: false,
  networks: networks.map((network) => ({ ...network, subnets: [], gateways: [] })),
});

function engine(more: Partial<EngineFacts> = {}): EngineFacts {
  return {
    version: '28.5.2',
    apiVersion: '1.51',
    operatingSystem: 'Debian GNU/Linux 12',
    isRootless: false,
    isSwarm: false,
    firewallBackend: 'iptables',
    networks: [
      { name: 'bridge', driver: 'bridge', hasIPv6: false, subnets: ['172.17.0.0/16'], gateways: [] },
    ],
    containers: [],
    problems: [],
    client: undefined as never,
    ...more,
  };
}

/** What stands in the way; everything that does has a consequence and a remedy. */
function obstacles(findings: readonly Finding[]): string[] {
  const found = findings.filter(isInTheWay);
  for (const { consequence, remedy } of found) expect([consequence, remedy]).not.toContain(undefined);
  return found.map(({ severity, what }) => `${severity}: ${what}`);
}

describe('the engine', () => {
  it('is fine on the host', () => {
    expect(obstacles(checkEngine(engine(), host))).toEqual([]);
  });

  it.each<[string, Partial<EngineFacts>, Partial<HostFacts>, RegExp]>([
    ['Docker Desktop', { operatingSystem: 'Docker Desktop' }, {}, /^error: this is Docker Desktop/],
    ['rootless', { isRootless: true }, {}, /^error: Docker runs rootless/],
    ['another network namespace', {}, { addresses: ['10.0.0.2'] }, /^error: none of the addresses here/],
    ['a container of its own', {}, { addresses: ['172.17.0.5'] }, /^error: none of the addresses here/],
  ])('tells of %s', (_, about, here, text) => {
    expect(obstacles(checkEngine(engine(about), { ...host, ...here }))).toEqual([
      expect.stringMatching(text),
    ]);
  });

  it('that has no bridge network does not tell where this is', () => {
    expect(obstacles(checkEngine(engine({ networks: [] }), host))).toEqual([]);
  });

  it("tells of containers behind Swarm's ingress only", () => {
    const containers = [
      facts([{ name: 'ingress', driver: 'overlay', hasIPv6: false }]),
      facts([{ name: 'ingress', driver: 'overlay', hasIPv6: false }]),
      facts([{ name: 'bridge', driver: 'bridge', hasIPv6: false }]),
    ];
    expect(obstacles(checkEngine(engine({ isSwarm: true, containers }), host))).toEqual([
      "warning: published by Swarm's ingress network: web, web",
    ]);
  });

  it('that does not answer is an obstacle with the fix of the error', () => {
    const [finding] = checkEngine(
      new Dock2banError('docker-unreachable', 'no such file', { fix: 'mount it' }),
      host,
    );
    expect(finding).toMatchObject({ severity: 'error', remedy: 'mount it' });
  });
});

describe('the host', () => {
  it.each([
    [0n, 'error: missing capability: NET_ADMIN, NET_RAW'],
    [1n << 12n, 'error: missing capability: NET_RAW'],
  ])('tells of missing capabilities (%s)', (capabilities, text) => {
    expect(obstacles(checkPrivileges({ ...host, capabilities }))).toEqual([text]);
  });

  it.each([
    ['writable', []],
    ['missing', []],
    ['read-only', ["warning: /state can't be written"]],
    ['temporary', ['warning: /state is no volume: its content is lost with the container']],
  ] as const)('tells of a state directory that is %s', (stateDirectory, expected) => {
    expect(obstacles(checkState({ ...host, stateDirectory }, '/state'))).toEqual(expected);
  });

  it.each([
    [{ backend: 'docker-user', healthy: true }, true, []],
    [{ backend: 'none', healthy: true }, true, ['warning: the controller runs with --firewall none']],
    [
      { backend: 'nftables', healthy: false, troubles: ['no bans over IPv6'] },
      false,
      [
        'error: the controller has no connection to Docker',
        'error: the controller could not write everything to the kernel: no bans over IPv6',
      ],
    ],
  ])('asks the controller (%j)', (firewall, connected, expected) => {
    const status = { version: '0.1.0', docker: { connected }, firewall, jails: ['web'] };
    expect(obstacles(checkController({ status }))).toEqual(expected);
  });
});

describe('containers', () => {
  const v4only = [{ name: 'default', driver: 'bridge', hasIPv6: false }];

  it.each([
    ['IPv6 clients behind docker-proxy', facts(v4only), ['2001:db8::1'], undefined, 1],
    [
      'a network with IPv6',
      facts([...v4only, { name: 'six', driver: 'bridge', hasIPv6: true }]),
      ['2001:db8::1'],
      undefined,
      0,
    ],
    ['a host without a global address', facts(v4only), ['::1', 'fe80::1', 'fd00::1'], undefined, 0],
    ['no docker-proxy', facts(v4only), ['2001:db8::1'], false, 0],
    ['nothing published on IPv6', facts(v4only, { publishedPorts: [] }), ['2001:db8::1'], undefined, 0],
    ['the network of the host', facts(v4only, { hostNetwork: true }), ['2001:db8::1'], undefined, 0],
  ] as const)('IPv6: %s', (_, web, addresses, userlandProxy, count) => {
    expect(obstacles(checkIPv6([web], addresses, userlandProxy))).toHaveLength(count);
  });

  it('says once what several containers have in common', () => {
    const web = facts(v4only);
    const b = { ...web, snapshot: { ...web.snapshot, name: 'b' } };
    expect(obstacles(checkIPv6([web, b], ['2001:db8::1'], undefined))).toEqual([
      'warning: published on IPv6, but on no network with IPv6: web, b',
    ]);
    const problems = ['web', 'b'].map((name) => {
      const where = `container ${name}, label fail2ban.maxretry=x`;
      return { severity: 'warn', where, message: 'is wrong', fix: 'correct it' } as const;
    });
    expect(obstacles(checkJails({ jails: [jailSpec()], problems }, []))).toEqual([
      'warning: container web, label fail2ban.maxretry=x; container b, label fail2ban.maxretry=x: is wrong',
    ]);
  });

  it("passes on what labels can't mean, and tells that nothing is guarded", () => {
    const problem = {
      severity: 'warn',
      where: 'container web, label x',
      message: 'is wrong',
      fix: 'correct it',
    } as const;
    expect(obstacles(checkJails({ jails: [], problems: [problem] }, []))).toEqual([
      'warning: container web, label x: is wrong',
      expect.stringMatching(/^warning: no container has a usable label/),
    ]);
    expect(
      obstacles(checkJails({ jails: [jailSpec()], problems: [{ ...problem, severity: 'info' }] }, [])),
    ).toEqual([]);
    expect(obstacles(checkJails({ jails: [], problems: [] }, undefined)), 'Docker is not known').toEqual([]);
  });
});

describe('logs', () => {
  const gateway = new NeverBan({ host: ['192.0.2.1'], gateways: ['172.17.0.1'], dockerSubnets: [] });
  const modifiedAt = new Date(2026, 10, 22, 13, 44, 53).getTime();
  const stamped = (hours: number): string => {
    const text = new Date(modifiedAt + hours * 3_600_000).toString();
    return text.replace(/^\w+ (\w+) (\d+) \d+ (\S+).*/, '$1 $2 $3').replace(/ 0(?=\d )/, '  ');
  };

  it('tells of failures that show a gateway', () => {
    const sightings = {
      jail: 'web',
      source: 'docker:web',
      lines: 9,
      offenders: ['172.17.0.1', '203.0.113.7', '172.17.0.1'],
    };
    expect(obstacles(checkSightings([sightings, { ...sightings, source: 'docker:b' }], gateway))).toEqual([
      "warning: failures show a gateway of Docker's: [web] 2 of 3 in the last 9 lines of docker:web (172.17.0.1); [web] 2 of 3 in the last 9 lines of docker:b (172.17.0.1)",
    ]);
    expect(checkSightings([{ failed: 'a' }, sightings, { failed: 'b' }], gateway)).toMatchObject([
      { severity: 'warning' },
      { severity: 'untested', what: 'a; b' },
    ]);
    expect(
      obstacles(checkSightings([{ ...sightings, offenders: ['203.0.113.7', '192.0.2.1'] }], gateway)),
    ).toEqual([]);
  });

  it.each([
    [0, []],
    [-2, ['warning: times in /log are 2 hours behind the clock here: another time zone']],
    [5.5, ['warning: times in /log are 5.5 hours ahead of the clock here: another time zone']],
    [-100, []],
    [-2.1, []],
  ])('compares the last time in the syslog file with its own (%f hours)', (hours, expected) => {
    const text = `${stamped(hours)} host web[1]: hello\nno stamp here\n`;
    expect(obstacles(checkClock('/log', { text, modifiedAt }))).toEqual(expected);
  });

  it('takes times with a zone as they are', () => {
    const text = `${new Date(modifiedAt).toISOString().replace('Z', '+00:00')} host web[1]: hello\n`;
    expect(checkClock('/log', { text, modifiedAt })).toMatchObject([{ severity: 'ok' }]);
    expect(checkClock('/log', { text: '', modifiedAt })).toMatchObject([{ severity: 'untested' }]);
  });

  it('asks for the syslog file only where a container logs there', () => {
    expect(checkSyslogFile('/log', [], undefined, 'ENOENT')).toEqual([]);
    expect(obstacles(checkSyslogFile('/log', ['web'], undefined, 'ENOENT'))).toEqual([
      "error: /log can't be read (ENOENT), but containers log there: web",
    ]);
  });
});
