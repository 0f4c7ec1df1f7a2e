import { describe, expect, it } from 'vitest';
import { loadConfigTree } from '../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../src/config/resolve.ts';
import type { ContainerSnapshot } from '../../src/docker/snapshot.ts';
import { container } from './container.ts';
import { treeOf } from './tree.ts';

const sshd = { 'filter.d/sshd.conf': '[Definition]\nfailregex = ^ssh <HOST>\njournalmatch = _COMM=sshd\n' };

const resolve = (
  user: Record<string, string>,
  containers: readonly ContainerSnapshot[] = [],
  builtin: Record<string, string> = sshd,
  compileFilter: Parameters<typeof resolveJails>[0]['compileFilter'] = () => undefined,
) => resolveJails({ tree: treeOf(user, builtin), containers, compileFilter });

describe('precedence', () => {
  const builtin = { ...sshd, 'jail.d/sshd.conf': '[sshd]\nmaxretry = 1\n' };
  const jailConf = { 'jail.conf': '[DEFAULT]\nmaxretry = 2\n' };
  const section = { 'jail.conf': '[DEFAULT]\nmaxretry = 2\n[sshd]\nmaxretry = 3\n' };
  const jailD = { ...section, 'jail.d/a.conf': '[sshd]\nmaxretry = 4\n' };
  const local = { ...jailD, 'jail.local': '[sshd]\nmaxretry = 5\n' };
  const jailDLocal = { ...local, 'jail.d/a.local': '[sshd]\nmaxretry = 6\n' };
  const opt = { 'fail2ban.jail': 'sshd' };
  const shared = { ...opt, 'fail2ban.maxretry': '7' };
  const own = { ...shared, 'fail2ban.jail.sshd.maxretry': '8' };

  it.each([
    ['fail2ban’s own default', {}, sshd, opt, 5],
    ['the built-in jail', {}, builtin, opt, 1],
    ["the user's [DEFAULT]", jailConf, builtin, opt, 2],
    ['the section in jail.conf', section, builtin, opt, 3],
    ['jail.d/*.conf', jailD, builtin, opt, 4],
    ['jail.local', local, builtin, opt, 5],
    ['jail.d/*.local', jailDLocal, builtin, opt, 6],
    ['a label of the container', jailConf, builtin, shared, 7],
    ['a label for the jail', jailConf, builtin, own, 8],
  ])('%s', (_, user, below, labels, maxretry) => {
    const { jails, problems } = resolve(user, [container('web', labels)], below);
    expect(problems).toEqual([]);
    expect(jails[0]?.maxretry).toBe(maxretry);
  });

  it('keeps what makes a built-in jail the jail that it is', () => {
    const below = { ...sshd, 'jail.d/x.conf': '[x]\nfilter = sshd\n' };
    const user = { 'jail.conf': '[DEFAULT]\nfilter = %(__name__)s[mode=%(mode)s]\nmode = normal\n' };
    expect(resolve(user, [container('web', { 'fail2ban.jail': 'x' })], below).jails[0]?.filter.name).toBe(
      'sshd',
    );
  });
});

describe('defaults', () => {
  it("are fail2ban's", () => {
    const { jails } = resolve({}, [container('web', { 'fail2ban.jail': 'sshd' })]);
    expect(jails).toEqual([
      {
        name: 'sshd',
        filter: {
          name: 'sshd',
          failregex: ['^ssh <HOST>'],
          ignoreregex: [],
          prefregex: undefined,
          datepattern: undefined,
          maxlines: 1,
          usedns: 'warn',
          logtype: 'file',
          builtIn: true,
        },
        sources: [
          {
            kind: 'syslog',
            program: 'web',
            container: 'web',
            containerId: 'web'.padEnd(64, '0'),
            isCopied: true,
            fallback: 'web'.padEnd(64, '0'),
          },
        ],
        blocktype: 'drop',
        corroboration: {
          ports: [80, 443].map((port) => ({
            protocol: 'tcp',
            first: port,
            last: port,
            hostAddress: undefined,
          })),
        },
        ipv6prefix: 64,
        closes: [80, 443].map((port) => ({
          protocol: 'tcp',
          first: port,
          last: port,
          hostAddress: undefined,
        })),
        maxretry: 5,
        findtime: 600,
        bantime: 600,
        ignoreip: [],
        ignoreself: true,
        containers: ['web'],
      },
    ]);
  });
});

describe('jails of the configuration', () => {
  it('run without a container where they are enabled', () => {
    const { jails, problems } = resolve({
      'jail.local':
        '[sshd]\nenabled = true\nport = ssh\nlogpath = /var/log/auth.log\n  /var/log/x*.log tail\nbackend = polling\nmaxmatches = 3\nignoreip = 192.0.2.1 home.example.org file:/etc/i\nignorecommand = /bin/x <ip>\nlogencoding = latin1\nlogtimezone = UTC+0100\nbantime.increment = true\nbantime.maxtime = 1w\n',
    });
    expect(problems).toEqual([]);
    expect(jails[0]).toMatchObject({
      sources: [
        { kind: 'file', pattern: '/var/log/auth.log', from: 'head', container: undefined, polling: true },
        { kind: 'file', pattern: '/var/log/x*.log', from: 'tail', container: undefined, polling: true },
      ],
      closes: [{ protocol: 'tcp', first: 22, last: 22 }],
      containers: [],
      maxmatches: 3,
      ignoreip: ['192.0.2.1'],
      ignoreNames: ['home.example.org'],
      ignoreFiles: ['/etc/i'],
      ignoreCommand: ['/bin/x', '<ip>'],
      logEncoding: 'windows-1252',
      filter: { logTimeZone: 60 },
      increment: { maxtime: 604_800, factor: 1, overalljails: false },
    });
  });

  it('read the journal with backend = systemd', () => {
    const { jails } = resolve({ 'jail.local': '[sshd]\nenabled = true\nbackend = systemd\nlogpath = /no\n' });
    expect(jails[0]).toMatchObject({
      sources: [{ kind: 'journald', matches: [['_COMM=sshd']], container: undefined }],
      filter: { logtype: 'journal' },
    });
  });

  it.each([
    ['port = 25,53\nprotocol = udp', '25/udp 53/udp'],
    ['port = 0:65535', 'all'],
    ['', 'all'],
    [
      'port = 22\naction = %(action_)s\naction_ = iptables-multiport[port="%(port)s", protocol=tcp]',
      '22/tcp',
    ],
    ['port = 22\naction = iptables-allports[port="%(port)s"]', 'all'],
  ])('close what %j says', (options, expected) => {
    const { jails, problems } = resolve({
      'jail.local': `[sshd]\nenabled = true\nlogpath = /x\n${options}\n`,
    });
    const closes = jails[0]?.closes;
    expect(problems).toEqual([]);
    expect(
      typeof closes === 'string'
        ? closes
        : closes?.map(({ first, protocol }) => `${first}/${protocol}`).join(' '),
    ).toBe(expected);
  });

  it.each([
    ['', 'drop'],
    ['banaction = iptables-multiport', 'drop'],
    ['banaction = iptables-multiport[blocktype=DROP]', 'drop'],
    ['banaction = iptables-multiport[blocktype="REJECT --reject-with icmp-port-unreachable"]', 'reject'],
    ['banaction = nftables[type=multiport, blocktype=reject]', 'reject'],
    ['banaction = sendmail[blocktype=reject]', 'drop'],
    ['blocktype = reject', 'reject'],
    ['blocktype = DROP\nbanaction = iptables-multiport[blocktype=REJECT]', 'drop'],
  ])('block as %j says', (options, expected) => {
    const { jails } = resolve({
      'jail.local': `[sshd]\nenabled = true\nlogpath = /x\nport = 22\naction = %(banaction)s[port="%(port)s"]\nbanaction = ufw\n${options}\n`,
    });
    expect(jails[0]?.blocktype).toBe(expected);
  });

  it('drop where blocktype is no way to block, and say so', () => {
    const { jails, problems } = resolve({
      'jail.local': '[sshd]\nenabled = true\nlogpath = /x\naction = ufw[blocktype=ACCEPT]\n',
    });
    expect(jails[0]?.blocktype).toBe('drop');
    expect(problems).toMatchObject([
      {
        severity: 'warn',
        message: expect.stringContaining('packets are dropped'),
        fix: 'disable the jail, or write drop or reject',
      },
    ]);
  });

  it('are not run where they are neither enabled nor named, and say so where they would watch nothing', () => {
    const { jails, problems } = resolve({
      'jail.local': '[sshd]\nlogpath = /x\n[empty]\nfilter = sshd\nenabled = true\n',
    });
    expect(jails).toEqual([]);
    expect(problems).toMatchObject([
      { severity: 'info', where: '/etc/fail2ban/jail.local:5', jail: 'empty' },
    ]);
  });

  it("are bound to a container by label: its log and its ports, not the host's", () => {
    const user = { 'jail.local': '[sshd]\nport = ssh\nlogpath = /x\nmaxretry = 2\n' };
    const { jails } = resolve(user, [container('web', { 'fail2ban.jail': 'sshd' })]);
    expect(jails).toMatchObject([
      { maxretry: 2, sources: [{ kind: 'syslog' }], closes: [{ first: 80 }, { first: 443 }] },
    ]);
  });

  it('watch host and container where they are enabled and named', () => {
    const user = { 'jail.local': '[sshd]\nenabled = true\nport = ssh\nlogpath = /x\n' };
    const { jails } = resolve(user, [container('web', { 'fail2ban.jail': 'sshd' })]);
    expect(jails).toMatchObject([
      {
        sources: [{ kind: 'file' }, { kind: 'syslog' }],
        closes: [{ first: 22 }, { first: 80 }, { first: 443 }],
      },
    ]);
  });

  it.each([
    [
      'maxretry = many',
      '/etc/fail2ban/jail.local:4',
      'maxretry: invalid count "many"; fail2ban\'s default is used instead',
      1,
    ],
    [
      'maxretry = %(no)s',
      '/etc/fail2ban/jail.local:4',
      "maxretry of [sshd]: it refers to %(no)s, which nothing defines; fail2ban's default is used instead",
      1,
    ],
    ['filter = nope', '/etc/fail2ban/jail.local:4', 'jail sshd is left out: there is no filter nope', 0],
    [
      'filter = sshd[x',
      '/etc/fail2ban/jail.local:4',
      'jail sshd is left out: invalid name with options "sshd[x"',
      0,
    ],
    ['failregex = (', '/etc/fail2ban/jail.local:4', 'jail sshd is left out: unbalanced (', 0],
    [
      'port = nowhere',
      '/etc/fail2ban/jail.local:4',
      'port: unknown service "nowhere"; all ports are closed instead',
      1,
    ],
    [
      'action = sendmail',
      '/etc/fail2ban/jail.local:4',
      'none of the actions blocks anything, so bans of this jail close nothing',
      1,
    ],
  ])('%s is one problem and stops no other jail', (option, where, message, left) => {
    const user = {
      'jail.local': `[sshd]\nenabled = true\nlogpath = /x\n${option}\n[other]\nenabled = true\nfilter = sshd\nlogpath = /y\n`,
    };
    const { jails, problems } = resolve(user, [], sshd, ({ failregex }) =>
      failregex.includes('(') ? 'unbalanced (' : undefined,
    );
    expect(
      problems
        .filter(({ severity }) => severity === 'warn')
        .map((problem) => [problem.where, problem.message]),
    ).toEqual([[where, message]]);
    expect(jails.map(({ name }) => name)).toEqual(left ? ['sshd', 'other'] : ['other']);
  });

  it('names once what fail2ban does and dock2ban does not', () => {
    const user = {
      'jail.local':
        '[DEFAULT]\nskip_if_nologs = true\nchain = MINE\naction = ufw\n  sendmail[dest=x]\nenabled = true\nlogpath = /x\nfilter = sshd\n[a]\n[b]\n',
    };
    const { jails, problems } = resolve(user);
    expect(jails).toHaveLength(2);
    expect(problems.map(({ severity, where }) => [severity, where])).toEqual([
      ['info', '/etc/fail2ban/jail.local:2'],
      ['info', '/etc/fail2ban/jail.local:3'],
      ['info', '/etc/fail2ban/jail.local:4'],
    ]);
  });

  it('never let a label into a command', () => {
    const user = { 'jail.local': '[DEFAULT]\nignorecommand = /bin/x %(maxretry)s\nmaxretry = 3\n' };
    const { jails } = resolve(user, [
      container('web', { 'fail2ban.jail': 'sshd', 'fail2ban.maxretry': '9' }),
    ]);
    expect(jails[0]).toMatchObject({ maxretry: 9, ignoreCommand: ['/bin/x', '3'] });
  });
});

describe('several containers in one jail', () => {
  const old = (labels: Record<string, string>) =>
    container(
      'old',
      { 'fail2ban.jail': 'sshd', ...labels },
      {
        createdAt: 1,
        publishedPorts: [{ protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 81, containerPort: 80 }],
      },
    );
  const young = (labels: Record<string, string>) =>
    container('young', { 'fail2ban.jail': 'sshd', ...labels }, { createdAt: 2 });

  it('share it: all their lines, all their ports', () => {
    const { jails, problems } = resolve({}, [young({ 'fail2ban.port': '443' }), old({})]);
    expect(problems).toEqual([]);
    expect(jails).toMatchObject([
      {
        containers: ['old', 'young'],
        sources: [{ program: 'old' }, { program: 'young' }],
        closes: [{ first: 81 }, { first: 443 }],
      },
    ]);
  });

  it('may differ in ports and log files', () => {
    const { jails, problems } = resolve({}, [
      old({ 'fail2ban.port': '81', 'fail2ban.logpath': '/var/log/a' }),
      young({ 'fail2ban.port': '80', 'fail2ban.logpath': '/var/log/b' }),
    ]);
    expect(problems).toEqual([]);
    expect(jails).toMatchObject([
      { sources: [{ pattern: '/var/log/a' }, { pattern: '/var/log/b' }], closes: [{ first: 80, last: 81 }] },
    ]);
  });

  it('have what the oldest says, and say once what of the others does not count', () => {
    const { jails, problems } = resolve({}, [
      young({ 'fail2ban.maxretry': '9', 'fail2ban.findtime': '60', 'fail2ban.ignoreself': 'true' }),
      old({ 'fail2ban.maxretry': '3', 'fail2ban.ignoreself': 'true' }),
    ]);
    expect(jails).toMatchObject([{ maxretry: 3, findtime: 600 }]);
    expect(problems.map(({ where, message }) => [where, message])).toEqual([
      [
        'container young, label fail2ban.findtime=60',
        'jail sshd is defined by container old: a container adds its log and its ports to it and nothing more, so fail2ban.findtime, fail2ban.maxretry are ignored',
      ],
    ]);
  });

  it('do not suffer from the one whose label is broken', () => {
    const { jails, problems } = resolve({}, [old({ 'fail2ban.maxretry': 'x' }), young({})]);
    expect(jails).toMatchObject([{ containers: ['young'], maxretry: 5 }]);
    expect(problems).toHaveLength(1);
  });
});

it('resolves what is shipped: the built-in jails, without any configuration of the user', async () => {
  const tree = await loadConfigTree({ builtinDir: 'filters', configDir: '/no/such/directory' });
  const jail = (labels: Record<string, string>) =>
    resolveJails({
      tree,
      containers: [container('proxy', { 'fail2ban.jail': 'nginx-proxy', ...labels })],
      compileFilter: () => undefined,
    });
  expect(jail({}).problems).toEqual([]);
  expect(jail({}).jails).toMatchObject([{ name: 'nginx-proxy', maxretry: 5, findtime: 600, bantime: 600 }]);
  expect(jail({}).jails[0]?.filter.failregex.join()).toContain('404');
  expect(jail({ 'fail2ban.mode': 'aggressive' }).jails[0]?.filter.failregex.join()).toContain('403|404|444');
});
