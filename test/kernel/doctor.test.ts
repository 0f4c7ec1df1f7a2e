import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execa } from 'execa';
import { serveControl, type ControlServer } from '../../src/control/server.ts';
import { isInTheWay, type Finding } from '../../src/doctor/finding.ts';
import type { BanFirewall, GuardedJail } from '../../src/firewall/firewall.ts';
import type { Variant } from '../../src/firewall/iptables/tool.ts';
import { fakeController } from '../control/fake-controller.ts';
import { FakeEngine, idOf } from '../docker/fake-engine.ts';
import { Visitors } from '../../src/firewall/visitors/visitors.ts';
import {
  banFor,
  everything,
  likeDocker,
  neverBan,
  openFirewall,
  published,
  whyNotHere,
} from './firewall-fixture.ts';
import { Netns } from './netns.ts';
import { Party } from './party.ts';

const cells = [
  { backend: 'docker-user', variant: 'nft' },
  { backend: 'docker-user', variant: 'legacy' },
  { backend: 'nftables', variant: 'nft' },
] as const;

const jails: GuardedJail[] = [{ name: 'nginx-proxy', closes: [published(80)], blocktype: 'drop' }];

/** As the firewall of a controller does beside the bans. */
async function noteVisitors(host: Netns): Promise<void> {
  const visitors = new Visitors({ tools: host.tools, procNet: host.procNet, neverBan: () => neverBan });
  await visitors.reconcile(
    jails.map((jail) => ({ ...jail, watch: { ports: [published(80)], seconds: 600 } })),
  );
  await visitors.close();
}

describe.skipIf(whyNotHere()).each(cells)(
  'doctor, $backend with iptables-$variant',
  ({ backend, variant }) => {
    let host: Netns;
    let directory: string;
    let engine: FakeEngine;
    let server: ControlServer;
    let firewall: BanFirewall;
    let others: { close: () => unknown }[];

    beforeEach(async () => {
      host = await Netns.open();
      others = [];
      // An engine whose rules are nftables' makes none with iptables.
      await likeDocker(host, variant, backend);
      await host.sh('ip', 'address', 'add', '172.17.0.1/16', 'dev', 'lo');
      directory = mkdtempSync(join(tmpdir(), 'dock2ban-doctor-'));
      const stamp = new Date()
        .toString()
        .replace(/^\w+ (\w+) (\d+) \d+ (\S+).*/, '$1 $2 $3')
        .replace(/ 0/, '  ');
      writeFileSync(join(directory, 'syslog'), `${stamp} host web[1]: nothing to see\n`);
      engine = await new FakeEngine().start();
      engine.info = { FirewallBackend: { Driver: backend === 'nftables' ? 'nftables' : 'iptables' } };
      engine.containers = [
        {
          id: idOf('a'),
          name: 'web',
          labels: { 'fail2ban.jail': 'nginx-proxy' },
          ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '80' }] },
          logDriver: 'syslog',
          logOptions: { tag: 'web' },
        },
      ];
      const status = { ...fakeController().status(), firewall: { backend, healthy: true, troubles: [] } };
      server = await serveControl(join(directory, 'socket'), { ...fakeController(), status: () => status });
      ({ firewall } = await openFirewall(host, backend));
      await firewall.reconcile(jails);
      await noteVisitors(host);
      await firewall.ban([banFor('203.0.113.9', undefined, 'nginx-proxy')]);
    });

    afterEach(async () => {
      await firewall.close();
      await server.close();
      await engine.stop();
      for (const other of others.toReversed()) await other.close();
      host.close();
      rmSync(directory, { recursive: true });
    });

    /** The real command line, in the host's network namespace. */
    async function doctor({ wait = '0.5' } = {}): Promise<{
      exitCode: number | undefined;
      findings: Finding[];
    }> {
      const options = {
        '--socket': join(directory, 'socket'),
        '--docker-host': `unix://${engine.socketPath}`,
        '--config-dir': join(directory, 'none'),
        '--state-dir': directory,
        '--syslog-file': join(directory, 'syslog'),
        '--wait': wait,
      };
      const { exitCode, stdout, stderr } = await execa(
        'nsenter',
        [`--net=${host.path}`, 'node', 'src/main.ts', 'doctor', '--json', ...Object.entries(options).flat()],
        { reject: false },
      );
      expect(stderr).toBe('');
      return { exitCode, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
    }

    const saying = (findings: readonly Finding[], text: RegExp): string[] =>
      findings.filter(({ what }) => text.test(what)).map(({ severity }) => severity);

    async function kernel(): Promise<string> {
      return `${await everything(host, variant)}\n${await host.sh('nft', '-s', 'list', 'ruleset')}`;
    }

    it('proves that packets cross the rules and that a ban shuts out, and leaves everything as it was', async () => {
      const before = await kernel();
      const { exitCode, findings } = await doctor();
      // Where the tests run, every directory may be a container's own.
      const inTheWay = findings.filter(isInTheWay);
      expect(inTheWay.filter(({ topic }) => topic !== 'state')).toEqual([]);
      expect(exitCode).toBe(inTheWay.length > 0 ? 1 : 0);
      expect(saying(findings, /port 80 from a test address that was banned in jail nginx-proxy/)).toEqual([
        'ok',
      ]);
      expect(saying(findings, /IPv4 to the host: a test packet over loopback crossed/)).toEqual(['ok']);
      expect(saying(findings, /IPv6 to the host: a test packet over loopback crossed/)).toEqual(['ok']);
      expect(saying(findings, /IPv4 to containers: no packet came by/)).toEqual(['untested']);
      expect(await kernel()).toBe(before);
      expect((await firewall.reconcile(jails)).repairs).toEqual([]);
    });

    it('counts packets on their way to containers', async () => {
      const talk = await forwarding();
      const { findings } = await doctor({ wait: '20' });
      await talk();
      expect(saying(findings, /IPv4 to containers: \d+ packets? crossed/)).toEqual(['ok']);
    });

    it('tells that the test packet does not cross rules which are not reached', async () => {
      if (backend === 'nftables') await host.sh('nft', 'flush', 'chain', 'inet', 'dock2ban', 'guard');
      else await host.sh(`iptables-${variant}`, '-I', 'INPUT', '1', '-i', 'lo', '-j', 'ACCEPT');
      const { exitCode, findings } = await doctor();
      expect(exitCode).toBe(1);
      if (backend === 'nftables') {
        expect(saying(findings, /has rules that are not reached from input and forward/)).toEqual(['error']);
        expect(saying(findings, /from a test address that was banned/)).not.toContain('ok');
        return;
      }
      expect(saying(findings, /^IPv4: the jump from INPUT to DOCK2BAN is not the first rule/)).toEqual([
        'error',
      ]);
      expect(saying(findings, /IPv4 to the host: a test packet came through, but did not cross/)).toEqual([
        'error',
      ]);
      expect(saying(findings, /a connection over loopback to port 80.* was not blocked/)).toEqual([
        'warning',
      ]);
      expect(saying(findings, /comes before dock2ban's .*-A INPUT -i lo -j ACCEPT/)).toEqual(['warning']);
    });

    // A rule of iptables can't let a packet past a table of our own.
    it.each(backend === 'nftables' ? [] : ['ACCEPT'])(
      'tells of a rule that accepts before, with the packets that went that way',
      async () => {
        const talk = await forwarding();
        await host.sh(`iptables-${variant}`, '-I', 'FORWARD', '1', '-j', 'ACCEPT');
        const { exitCode, findings } = await doctor({ wait: '3' });
        await talk();
        expect(exitCode).toBe(1);
        const accepted = findings.find(({ topic }) => topic === 'foreign rules');
        expect(accepted).toMatchObject({
          severity: 'error',
          remedy: expect.stringContaining(`iptables-${variant} -w -I FORWARD 1 -j DOCKER-USER`) as string,
        });
        expect(saying(findings, /IPv4 to containers: .* were let through by rules before/)).toEqual([
          'error',
        ]);
        // The remedy as it is given.
        const [program, ...args] = accepted!.remedy!.split(': ')[1]!.split(' ');
        await host.sh(program!, ...args);
        expect((await doctor()).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
      },
    );

    it('tells what is left without a controller and without rules', async () => {
      await firewall.flush();
      await server.close();
      const { exitCode, findings } = await doctor();
      expect(exitCode).toBe(1);
      expect(saying(findings, /controller does not answer/)).toEqual(['error']);
      expect(saying(findings, /none of dock2ban's rules is in the kernel/)).toEqual(['error']);
      expect(saying(findings, /nothing can be proven/)).toEqual(['untested']);
    });

    /** Sends datagrams through the host until the returned function is called. */
    async function forwarding(): Promise<() => Promise<void>> {
      const [outside, container] = [await Netns.open(), await Netns.open()];
      others.push(outside, container);
      for (const [netns, device, own, theirs] of [
        [outside, 'wan', '198.51.100.1', '198.51.100.66'],
        [container, 'lan', '172.30.0.1', '172.30.0.2'],
      ] as const) {
        await host.sh(
          'ip',
          'link',
          'add',
          device,
          'type',
          'veth',
          'peer',
          'name',
          'eth0',
          'netns',
          String(netns.pid),
        );
        await host.sh('ip', 'address', 'add', `${own}/24`, 'dev', device);
        await host.sh('ip', 'link', 'set', device, 'up');
        await netns.sh('ip', 'address', 'add', `${theirs}/24`, 'dev', 'eth0');
        await netns.sh('ip', 'link', 'set', 'eth0', 'up');
        await netns.sh('ip', 'route', 'add', 'default', 'via', own);
      }
      await host.sh('sysctl', '-qw', 'net.ipv4.ip_forward=1');
      const party = Party.datagrams(outside, '172.30.0.2', 9, '198.51.100.66');
      others.push(party);
      expect(await party.next(5000)).toBe('ready');
      const timer = setInterval(() => party.say('knock'), 100);
      return async () => clearInterval(timer);
    }
  },
);

describe.skipIf(whyNotHere())('uninstall-rules', () => {
  let host: Netns;

  beforeEach(async () => {
    host = await Netns.open();
  });
  afterEach(() => host.close());

  const uninstall = (...more: string[]) =>
    execa(
      'nsenter',
      [
        `--net=${host.path}`,
        'node',
        'src/main.ts',
        'uninstall-rules',
        '--socket',
        '/nonexistent/socket',
        ...more,
      ],
      { reject: false },
    );

  async function kernel(): Promise<string> {
    const variants: Variant[] = ['nft', 'legacy'];
    const texts = await Promise.all(variants.map((variant) => everything(host, variant)));
    return [...texts, await host.sh('nft', '-s', 'list', 'ruleset')].join('\n');
  }

  it('removes every trace of both backends and both variants, and nothing else', async () => {
    for (const variant of ['nft', 'legacy'] as const) {
      await likeDocker(host, variant);
      for (const six of ['', '6']) {
        await host.sh(
          `ip${six}tables-${variant}`,
          '-A',
          'INPUT',
          '-m',
          'comment',
          '--comment',
          'not -j DOCK2BAN',
          '-j',
          'ACCEPT',
        );
      }
    }
    await host.sh('ipset', 'create', 'somebody-elses', 'hash:net');
    await host.feed('add table inet somebody-elses\n', 'nft', '-f', '-');
    const before = await kernel();

    // Rules move from one variant to the other only if Docker's do; here both hold ours, as after an update of the host's iptables.
    const { firewall } = await openFirewall(host);
    await firewall.reconcile(jails);
    await firewall.ban([
      banFor('203.0.113.9', 600, 'nginx-proxy'),
      banFor('2001:db8::/64', 600, 'nginx-proxy'),
    ]);
    for (const six of ['', '6']) {
      const own = `*filter\n:DOCK2BAN - [0:0]\n-A DOCK2BAN -m set --match-set dock2ban-${six || '4'} src -j DROP\n-I INPUT 1 -j DOCK2BAN\n-I DOCKER-USER 1 -j DOCK2BAN\nCOMMIT\n`;
      await host.feed(own, `ip${six}tables-legacy-restore`, '--noflush');
    }
    await firewall.close();
    const { firewall: other } = await openFirewall(host, 'nftables');
    await other.reconcile(jails);
    await other.ban([banFor('203.0.113.9', 600, 'nginx-proxy')]);
    await other.close();
    await noteVisitors(host);
    // What a doctor leaves that was killed.
    await host.feed('add table inet dock2ban-doctor\n', 'nft', '-f', '-');
    expect(await kernel()).not.toBe(before);

    const { exitCode, stdout } = await uninstall();
    expect(stdout.split('\n')).toEqual([
      'removed: chain DOCK2BAN and the jumps to it (iptables-nft, IPv4)',
      'removed: chain DOCK2BAN and the jumps to it (iptables-nft, IPv6)',
      'removed: chain DOCK2BAN and the jumps to it (iptables-legacy, IPv4)',
      'removed: chain DOCK2BAN and the jumps to it (iptables-legacy, IPv6)',
      expect.stringMatching(/^removed: 4 ipsets \(/),
      'removed: nft table inet dock2ban',
      'removed: nft table inet dock2ban-doctor',
      'removed: nft table inet dock2ban-visitors',
    ]);
    expect(exitCode).toBe(0);
    expect(await kernel()).toBe(before);
    expect(await uninstall()).toMatchObject({ exitCode: 0, stdout: 'nothing of dock2ban is in the kernel' });
  });

  it('brings nothing into being where there is nothing', async () => {
    const tables = async (): Promise<string> => host.sh('nft', 'list', 'ruleset');
    expect(await uninstall('--json')).toMatchObject({ exitCode: 0, stdout: '{\n  "removed": []\n}' });
    expect(await tables()).toBe('');
    expect(await host.sh('cat', '/proc/net/ip_tables_names')).toBe('');
  });

  it('says what it could not remove, and why', async () => {
    await likeDocker(host, 'nft');
    const { firewall } = await openFirewall(host);
    await firewall.reconcile(jails);
    await firewall.close();
    await host.sh(
      'iptables-nft',
      '-A',
      'OUTPUT',
      '-m',
      'set',
      '--match-set',
      'dock2ban-4',
      'dst',
      '-j',
      'DROP',
    );
    const { exitCode, stdout, stderr } = await uninstall();
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('ipset');
    expect(stderr).toContain('remove that rule');
  });
});
