import { describe, expect, it } from 'vitest';
import type { Definers } from '../../../src/config/jails/jail-definer.ts';
import type { ClosedPort } from '../../../src/config/jail-spec.ts';
import { formatPorts } from '../../../src/config/options/ports.ts';
import { resolveJails } from '../../../src/config/resolve.ts';
import type { ContainerSnapshot, NetworkSnapshot } from '../../../src/docker/snapshot.ts';
import { container } from '../container.ts';
import { treeOf } from '../tree.ts';

const builtin = {
  'filter.d/sshd.conf': '[Definition]\nfailregex = ^ssh <HOST>\n',
  'filter.d/recidive.conf': '[Definition]\nfailregex = ^NOTICE \\[\\w+\\] Ban <HOST>\n',
  'jail.d/recidive.conf': '[recidive]\nport = all\n',
};

function resolve(
  user: Record<string, string>,
  containers: readonly ContainerSnapshot[],
  more: { definers?: Definers; networks?: readonly NetworkSnapshot[] } = {},
) {
  const tree = treeOf(user, builtin);
  return resolveJails({ tree, containers, compileFilter: () => undefined, ...more });
}

function publishing(...ports: number[]): Pick<ContainerSnapshot, 'publishedPorts'> {
  return {
    publishedPorts: ports.map((hostPort) => ({
      protocol: 'tcp',
      hostAddress: '0.0.0.0',
      hostPort,
      containerPort: hostPort,
    })),
  };
}

const portsOf = (closes: 'all' | readonly ClosedPort[] | undefined): string | undefined =>
  typeof closes === 'object' ? formatPorts(closes) : closes;

/** What a container may try on a jail that isn't its own. */
const hostile = {
  'fail2ban.ignoreip': '0.0.0.0/0',
  'fail2ban.port': 'all',
  'fail2ban.bantime': '-1',
  'fail2ban.maxretry': '1',
  'fail2ban.failregex': '<HOST>',
  'fail2ban.usedns': 'yes',
  'fail2ban.ignoreself': 'false',
  'fail2ban.ipv6prefix': '32',
  'fail2ban.blocktype': 'reject',
  'fail2ban.bantime.increment': 'true',
};

describe('a jail of the operator’s files', () => {
  const user = {
    'jail.local': '[sshd]\nenabled = true\nport = ssh\nlogpath = /var/log/auth.log\nmaxretry = 3\n',
  };

  it('takes the log and the ports of a container, and says once what it does not take', () => {
    const evil = container('evil', { 'fail2ban.jail': 'sshd', ...hostile }, publishing(8080));
    const { jails, problems } = resolve(user, [evil]);
    const closes = [
      ...(resolve(user, []).jails[0]!.closes as ClosedPort[]),
      expect.objectContaining({ first: 8080, last: 8080 }),
    ];
    const [alone] = resolve(user, []).jails;
    expect(jails).toEqual([
      {
        ...alone,
        containers: ['evil'],
        sources: [...alone!.sources, expect.objectContaining({ kind: 'syslog', program: 'evil' })],
        closes,
        corroboration: { ports: closes },
      },
    ]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ severity: 'warn', container: 'evil', jail: 'sshd' });
    expect(problems[0]!.message).toContain('jail sshd is defined by /etc/fail2ban/jail.local:2');
    for (const label of Object.keys(hostile).filter((name) => name !== 'fail2ban.port')) {
      expect(problems[0]!.message).toContain(label);
    }
    expect(problems[0]!.message).toContain(
      'a label closes no more than what its container publishes (8080/tcp)',
    );
    expect(problems[0]!.fix).toContain('fail2ban.jail=NAME');
    expect(problems[0]!.fix).toContain('port = all in [sshd] of jail.local');
  });

  it('needs no word about what a label says as the files do', () => {
    const web = container('web', {
      'fail2ban.jail': 'sshd',
      'fail2ban.maxretry': '3',
      'fail2ban.filter': 'sshd',
    });
    expect(resolve({ 'jail.local': '[sshd]\nmaxretry = 3\nfilter = sshd\n' }, [web]).problems).toEqual([]);
  });

  it('closes everything for its containers too, if it says so', () => {
    const files = { 'jail.local': '[sshd]\nport = all\n' };
    expect(resolve(files, [container('web', { 'fail2ban.jail': 'sshd' })]).jails).toMatchObject([
      { closes: 'all' },
    ]);
  });

  it('leaves the labels for other jails in force', () => {
    const web = container('web', {
      'fail2ban.jail': 'sshd,app',
      'fail2ban.failregex': '^x <HOST>',
      'fail2ban.maxretry': '9',
    });
    expect(resolve(user, [web]).jails).toMatchObject([
      { name: 'sshd', maxretry: 3, filter: { failregex: ['^ssh <HOST>'] } },
      { name: 'app', maxretry: 9, filter: { failregex: ['^x <HOST>'] } },
    ]);
  });
});

describe('a jail that a container’s labels define', () => {
  const app = { 'fail2ban.jail': 'app', 'fail2ban.failregex': '^bad <HOST>', 'fail2ban.maxretry': '3' };
  const victim = (createdAt: number, labels: Record<string, string> = app) =>
    container('victim', labels, { createdAt, ...publishing(80) });
  const evil = (createdAt: number) =>
    container('evil', { 'fail2ban.jail': 'app', ...hostile }, { createdAt, ...publishing(8080) });
  const own = { maxretry: 3, bantime: 600, ignoreip: [], filter: { failregex: ['^bad <HOST>'] } };

  it('stays as it is when another container joins', () => {
    const { jails, problems } = resolve({}, [evil(2), victim(1)]);
    expect(jails).toMatchObject([{ ...own, containers: ['victim', 'evil'] }]);
    expect(portsOf(jails[0]?.closes)).toBe('80/tcp, 8080/tcp');
    expect(problems).toMatchObject([
      { container: 'evil', message: expect.stringContaining('by container victim') },
    ]);
  });

  it('stays its own when it is made anew, and is younger than the other then', () => {
    const { definers } = resolve({}, [victim(1), evil(2)]);
    const { jails, problems } = resolve({}, [victim(3), evil(2)], { definers });
    expect(jails).toMatchObject([own]);
    expect(problems.map((problem) => problem.container)).toEqual(['evil']);
    const changed = resolve({}, [victim(3, { ...app, 'fail2ban.maxretry': '7' }), evil(2)], { definers });
    expect(changed.jails).toMatchObject([{ ...own, maxretry: 7 }]);
  });

  it('stays as it was while its container is gone, also when its labels can not be used any more', () => {
    const { definers } = resolve({}, [victim(1)]);
    const gone = resolve({}, [evil(2)], { definers });
    expect(gone.jails).toMatchObject([{ ...own, containers: ['evil'] }]);
    expect(gone.problems).toMatchObject([
      {
        message: expect.stringContaining('container victim, which is gone'),
        fix: expect.stringContaining('`dock2ban reload` forgets it'),
      },
    ]);
    expect(gone.definers).toEqual(definers);
    const broken = victim(3, { ...app, 'fail2ban.maxretry': '99999' });
    expect(resolve({}, [broken, evil(2)], { definers }).jails).toMatchObject([
      { ...own, containers: ['evil'] },
    ]);
  });

  it('is known by its service in a Swarm, where every task has another name', () => {
    const task = (name: string, createdAt: number, maxretry: string) =>
      container(
        name,
        {
          ...app,
          'fail2ban.maxretry': maxretry,
          'com.docker.swarm.service.name': 'web',
          'com.docker.swarm.task.name': name,
        },
        { createdAt },
      );
    const { definers } = resolve({}, [task('web.1.aaa', 1, '3')]);
    const { jails } = resolve({}, [task('web.1.bbb', 3, '4'), evil(2)], { definers });
    expect(jails).toMatchObject([{ maxretry: 4 }]);
  });

  it('belongs to the files as soon as they have a section of it', () => {
    const { definers } = resolve({}, [victim(1)]);
    const { jails } = resolve({ 'jail.local': '[app]\nfailregex = ^own <HOST>\nfilter =\n' }, [victim(1)], {
      definers,
    });
    expect(jails).toMatchObject([{ maxretry: 5, filter: { failregex: ['^own <HOST>'] } }]);
  });

  it('is shared by containers with equal labels without a word', () => {
    const twins = ['web-1', 'web-2'].map((name, index) => container(name, app, { createdAt: index }));
    expect(resolve({}, twins).problems).toEqual([]);
  });

  it('is closed on the ports of the proxy that joins it without defining it', () => {
    const proxy = container('proxy', { 'fail2ban.jail': 'app' }, { createdAt: 1, ...publishing(443) });
    const behind = container('behind', app, { createdAt: 2, publishedPorts: [] });
    const { jails, problems } = resolve({}, [proxy, behind]);
    expect(jails).toMatchObject([{ ...own, containers: ['proxy', 'behind'] }]);
    expect(portsOf(jails[0]?.closes)).toBe('443/tcp');
    expect(problems).toMatchObject([
      { container: 'behind', message: expect.stringContaining('no port of its own') },
    ]);
  });

  it('keeps what [DEFAULT] ignores, and bans no longer than its maxtime', () => {
    const files = {
      'jail.local': '[DEFAULT]\nignoreip = 198.51.100.1\nbantime.maxtime = 1h\nmaxretry = 9\n',
    };
    const labels = {
      ...app,
      'fail2ban.ignoreip': '192.0.2.0/24',
      'fail2ban.bantime': '-1',
      'fail2ban.bantime.maxtime': '5w',
    };
    const { jails, problems } = resolve(files, [victim(1, labels)]);
    expect(jails).toMatchObject([
      {
        maxretry: 3,
        bantime: 3600,
        ignoreip: ['192.0.2.0/24', '198.51.100.1'],
        incrementTexts: { 'bantime.maxtime': '3600' },
      },
    ]);
    expect(problems).toMatchObject([
      {
        container: 'victim',
        message:
          'fail2ban.bantime, fail2ban.bantime.maxtime is beyond bantime.maxtime of [DEFAULT], which is 3600 seconds: that is the limit',
      },
    ]);
    expect(resolve({}, [victim(1, { ...app, 'fail2ban.bantime': '-1' })]).jails).toMatchObject([
      { bantime: -1 },
    ]);
  });

  it('does not close everything because the built-in jail of its name would', () => {
    const { jails } = resolve({}, [container('web', { 'fail2ban.jail': 'recidive' })]);
    expect(portsOf(jails[0]?.closes)).toBe('80/tcp, 443/tcp');
    const files = { 'jail.local': '[recidive]\nenabled = true\n' };
    expect(resolve(files, []).jails).toMatchObject([{ closes: 'all' }]);
  });

  it.each([
    'DEFAULT',
    'INCLUDES',
    'Definition',
    'init',
    'known',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
  ])('is not called %s', (name) => {
    const { jails, problems } = resolve({}, [container('web', { ...app, 'fail2ban.jail': name })]);
    expect(jails).toEqual([]);
    expect(problems).toMatchObject([
      { message: `"${name}" can't be the name of a jail`, fix: 'choose another name' },
    ]);
  });

  it('is not defined by labels that differ in case and contradict each other', () => {
    const { jails, problems } = resolve({}, [victim(1, { ...app, 'Fail2ban.MaxRetry': '4' })]);
    expect(jails).toEqual([]);
    expect(problems).toMatchObject([{ fix: 'remove fail2ban.maxretry or Fail2ban.MaxRetry' }]);
    expect(resolve({}, [victim(1, { ...app, 'Fail2ban.MaxRetry': '3' })]).problems).toEqual([]);
  });
});

describe('the ports that a label closes', () => {
  const jail = { 'fail2ban.jail': 'sshd' };
  const other = container('other', jail, { createdAt: 2, ...publishing(8443) });
  const files = { 'jail.local': '[ssh-alt]\nenabled = true\nfilter = sshd\nport = 2222\nlogpath = /x\n' };
  const onHost = { hostNetwork: true, publishedPorts: [] };
  const worker = { hiddenServicePorts: true, publishedPorts: [] } as const;

  it.each<[string, Partial<ContainerSnapshot>, string, string, string | undefined]>([
    ['of those that it publishes', publishing(80, 443), '443', '443/tcp', undefined],
    [
      'all',
      publishing(80, 443),
      'all',
      '80/tcp, 443/tcp',
      'no more than what its container publishes (80/tcp, 443/tcp)',
    ],
    ['one that is not its own', publishing(80), '22', '80/tcp', "doesn't publish 22/tcp"],
    [
      'some that are not its own',
      publishing(80, 443),
      '22,443,8443',
      '443/tcp',
      "doesn't publish 22/tcp, 8443/tcp",
    ],
    ['another protocol', publishing(80), '80/udp', '80/tcp', "doesn't publish 80/udp"],
    ['a range', publishing(80, 443), '1:65534', '80/tcp, 443/tcp', "doesn't publish 1:79/tcp"],
    ['the host’s', onHost, '8080,53/udp', '8080/tcp, 53/udp', undefined],
    ['ssh of the host', onHost, '22,8080', '8080/tcp', "22/tcp is left open: it is the host's own"],
    ['a range of the host', onHost, '20:24', '20:21/tcp, 23:24/tcp', '22/tcp is left open'],
    ['another container’s', onHost, '8443,8080', '8080/tcp', '8443/tcp is left open'],
    ['the operator’s other ssh', onHost, '2222,8080', '8080/tcp', '2222/tcp is left open'],
    ['of a Swarm worker', worker, '8080,22', '8080/tcp', '22/tcp is left open'],
  ])('%s: %j, %s', (_, more, port, closes, refused) => {
    const web = container('web', { ...jail, 'fail2ban.port': port }, more);
    const { jails, problems } = resolve({ ...files }, [
      web,
      container('other', { 'fail2ban.jail': 'ssh-alt' }, { createdAt: 2, ...publishing(8443) }),
    ]);
    expect(portsOf(jails.find(({ name }) => name === 'sshd')?.closes)).toBe(closes);
    expect(problems.map(({ message }) => message)).toEqual(
      refused === undefined ? [] : [expect.stringContaining(refused)],
    );
  });

  it.each(['all', undefined])(
    'are those that nobody else has, of a container in the host’s network with %s',
    (port) => {
      const web = container('web', { ...jail, ...(port !== undefined && { 'fail2ban.port': port }) }, onHost);
      const { jails, problems } = resolve(files, [web, { ...other, labels: {} }]);
      const closes = jails.find(({ name }) => name === 'sshd')!.closes;
      expect(portsOf(closes)).toBe(
        '1:21/tcp, 23:2221/tcp, 2223:8442/tcp, 8444:65535/tcp, 1:65535/udp, 1:65535/sctp',
      );
      expect(problems).toMatchObject([{ severity: port === undefined ? 'info' : 'warn', container: 'web' }]);
    },
  );

  it('never are ssh of the host, or another container’s, for whom it lets in', () => {
    const labels = { 'fail2ban.allowfrom': '192.0.2.0/24', 'fail2ban.port': '22,2222,8443,8080' };
    const { access, problems } = resolve(files, [container('web', labels, onHost), other]);
    expect(access.map(({ closes }) => formatPorts(closes))).toEqual(['8080/tcp']);
    expect(problems).toMatchObject([
      {
        where: expect.stringContaining('label fail2ban.port='),
        message: expect.stringContaining('22/tcp, 2222/tcp, 8443/tcp are left open'),
      },
    ]);
    const foreign = container('web', { ...labels, 'fail2ban.port': '22' }, onHost);
    expect(resolve(files, [foreign]).access).toEqual([]);
  });
});

describe('limits of what labels may ask', () => {
  const of = (labels: Record<string, string>) =>
    resolve({}, [
      container('web', {
        'fail2ban.jail': 'app,sshd',
        'fail2ban.jail.app.failregex': '^x <HOST>',
        ...labels,
      }),
    ]);

  it.each([
    ['failregex', '^x <HOST>\n'.repeat(101), 'it has 101 expressions for a label', 'keep it to 100'],
    ['ignoreregex', 'x'.repeat(4097), 'an expression has 4097 characters', 'keep it to 4096 characters'],
    ['prefregex', 'x'.repeat(5000), 'an expression has 5000 characters', 'keep it to 4096'],
    ['maxretry', '1001', '1001 is too many', 'keep it to 1000'],
    ['maxmatches', '5000', '5000 is too many', 'keep it to 1000'],
    ['maxlines', '60000', '60000 is too many', 'keep it to 100'],
    ['findtime', '2y', '"2y" is too long', 'keep it to 366d'],
    ['bantime', '300000y', '"300000y" is too long', '-1 is for ever'],
    ['bantime', '99999999999999999', 'is too long', '10y'],
    ['bantime.maxtime', '99999999999999999', 'is too long', '10y'],
    ['bantime.rndtime', '99999999999999999', 'is too long', '10y'],
    ['bantime.multipliers', '1 '.repeat(101), 'it has 101 multipliers', 'keep it to 100'],
    ['ignoreip', '0.0.0.0/0', 'too large a part of the Internet', 'IPv4 networks of /7'],
    ['ignoreip', '0.0.0.0/1 128.0.0.0/1', 'too large a part', 'IPv6 networks of /16'],
    ['ignoreip', Array.from({ length: 256 }, (_, n) => `${n}.0.0.0/8`).join(' '), 'too large a part', '/7'],
    ['ignoreip', '::/0', 'too large a part', '/16'],
    ['ignoreip', '2000::/3', 'too large a part', '/16'],
    [
      'ignoreip',
      Array.from({ length: 21 }, (_, n) => `h${n}.example`).join(),
      'it has 21 names',
      'keep it to 20',
    ],
  ])('%s=%.20s', (option, value, message, fix) => {
    const { jails, problems } = of({ [`fail2ban.jail.app.${option}`]: value });
    expect(jails.map(({ name }) => name)).toEqual(['sshd']);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ severity: 'warn', container: 'web', jail: 'app' });
    expect(problems[0]!.message).toContain(message);
    expect(problems[0]!.fix).toContain(fix);
  });

  it.each([
    ['/etc/shadow', 'is not in /var/log: labels name no other files of the host', 'DOCK2BAN_LOG_ROOTS'],
    ['/var/log/../../etc/shadow', 'is not in /var/log', 'set logpath in jail.local'],
    ['/var/logs/x', 'is not in /var/log', '--log-roots'],
    ['/var/log', 'is not in /var/log', '--log-roots'],
    ['/v*/log/x', 'is not in /var/log', '--log-roots'],
    ['/**/*', 'would search whole trees', 'write one * for each folder'],
    ['/var/log/**/*.log', 'would search whole trees', 'write one * for each folder'],
    ['/var/log/x\n'.repeat(21), 'it names 21 log files', 'keep it to 20'],
  ])('logpath=%.20s, of a container that joins, too', (value, message, fix) => {
    const labels = { 'fail2ban.jail': 'sshd', 'fail2ban.logpath': value };
    for (const files of [{}, { 'jail.local': '[sshd]\nmaxretry = 3\n' }]) {
      const { jails, problems } = resolve(files, [container('web', labels)]);
      expect(jails).toEqual([]);
      expect(problems).toMatchObject([
        { severity: 'warn', message: expect.stringContaining(message), fix: expect.stringContaining(fix) },
      ]);
    }
  });

  it('leave room for what is private', () => {
    const { problems } = of({
      'fail2ban.ignoreip': '10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,fe80::/10,2001:db8::/32',
    });
    expect(problems).toEqual([]);
  });

  it('hold for all jails of a container together', () => {
    const jails = Array.from({ length: 50 }, (_, n) => `j${n}`);
    const labels = { 'fail2ban.jail': jails.join(), 'fail2ban.failregex': '^x <HOST>\n'.repeat(20) };
    const resolved = resolve({}, [container('web', labels), container('other', { 'fail2ban.jail': 'sshd' })]);
    expect(resolved.jails).toHaveLength(26);
    expect(resolved.problems).toHaveLength(1);
    expect(resolved.problems[0]).toMatchObject({
      fix: expect.stringContaining('500 a container, 5000 in all'),
    });
  });

  it('are not those of the operator', () => {
    const files = { 'jail.local': '[sshd]\nmaxretry = 100000\nfindtime = 5y\nignoreip = 0.0.0.0/0\n' };
    const { jails, problems } = resolve(files, [container('web', { 'fail2ban.jail': 'sshd' })]);
    expect(jails).toMatchObject([{ maxretry: 100_000, ignoreip: ['0.0.0.0/0'] }]);
    expect(problems).toEqual([]);
  });
});
