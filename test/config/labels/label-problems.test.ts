import { describe, expect, it } from 'vitest';
import { resolveLabels } from './resolve-labels.ts';

describe('labels that can not be used', () => {
  const good = { 'fail2ban.jail': 'nginx-proxy,sshd' };

  it.each<[Record<string, string>, string, string, string, string[]]>([
    [
      { 'fail2ban.maxretry': 'many' },
      'fail2ban.maxretry=many',
      'invalid count "many"',
      'write a whole number above 0, such as 5',
      [],
    ],
    [
      { 'fail2ban.jail.sshd.maxretry': 'many' },
      'fail2ban.jail.sshd.maxretry=many',
      'invalid count "many"',
      'write a whole number above 0, such as 5',
      ['nginx-proxy'],
    ],
    [
      { 'fail2ban.maxrety': '3' },
      'fail2ban.maxrety=3',
      'unknown option "maxrety"',
      'did you mean maxretry?',
      [],
    ],
    [
      { 'fail2ban.jail.sshd.zzz': '3' },
      'fail2ban.jail.sshd.zzz=3',
      'unknown option "zzz"',
      'use one of source, filter',
      ['nginx-proxy'],
    ],
    [
      { 'fail2ban.jail.ssh.maxretry': '3' },
      'fail2ban.jail.ssh.maxretry=3',
      'the container is in no such jail',
      'name the jail in fail2ban.jail too',
      [],
    ],
    [
      { 'fail2ban.findtime': 'soon' },
      'fail2ban.findtime=soon',
      'invalid duration "soon"',
      'write seconds (600)',
      [],
    ],
    [
      { 'fail2ban.jail.sshd.failregex': '^(x <HOST>' },
      'fail2ban.jail.sshd.failregex=^(x <HOST>',
      'unbalanced "(" at position 3',
      'correct the expression',
      ['nginx-proxy'],
    ],
    [
      { 'fail2ban.jail.sshd.ignoreregex': '(' },
      'fail2ban.jail.sshd.ignoreregex=(',
      'unbalanced "(" at position 3',
      'correct the expression',
      ['nginx-proxy'],
    ],
    [
      { 'fail2ban.jail.sshd.filter': 'nginx-prxy' },
      'fail2ban.jail.sshd.filter=nginx-prxy',
      'there is no filter nginx-prxy',
      'did you mean nginx-proxy?',
      ['nginx-proxy'],
    ],
    [
      { 'fail2ban.jail.sshd.filter': 'x[a' },
      'fail2ban.jail.sshd.filter=x[a',
      'invalid name with options "x[a"',
      'write name or name[option=value',
      ['nginx-proxy'],
    ],
    [
      { 'fail2ban.jail.sshd.filter': '../../etc/x' },
      'fail2ban.jail.sshd.filter=../../etc/x',
      'invalid filter "../../etc/x"',
      'write name or name[mode=aggressive]',
      ['nginx-proxy'],
    ],
    [
      { 'fail2ban.jail.sshd.filter': 'nginx-proxy[mode="<mode>"]' },
      'fail2ban.jail.sshd.filter=nginx-proxy[mode="<mode>"]',
      '<mode> in failregex refers to itself',
      'give mode a value',
      ['nginx-proxy'],
    ],
    [
      { 'fail2ban.jail.nginx-proxy.mode': 'a]b' },
      'fail2ban.jail.nginx-proxy.mode=a]b',
      'invalid mode "a]b"',
      'write a mode of the filter',
      ['sshd'],
    ],
    [
      { 'fail2ban.port': '80000' },
      'fail2ban.port=80000',
      'invalid port "80000"',
      'write published, all, or ports',
      [],
    ],
    [
      { 'fail2ban.source': 'magic' },
      'fail2ban.source=magic',
      'invalid source "magic"',
      'write auto, docker, syslog, journald, file',
      [],
    ],
    [
      { 'fail2ban.jail.sshd.source': 'file' },
      'fail2ban.jail=nginx-proxy,sshd',
      'source is file, but no file is named',
      'add fail2ban.logpath=',
      ['nginx-proxy'],
    ],
    [
      { 'fail2ban.jail.sshd.source': 'journald' },
      'fail2ban.jail=nginx-proxy,sshd',
      'its log driver is syslog, not journald',
      'set fail2ban.source=auto',
      ['nginx-proxy'],
    ],
    [
      { 'fail2ban.logpath': 'app.log' },
      'fail2ban.logpath=app.log',
      'invalid path "app.log"',
      'write an absolute one',
      [],
    ],
    [
      { 'fail2ban.ignoreip': 'file:/etc/shadow' },
      'fail2ban.ignoreip=file:/etc/shadow',
      "a label can't read files of the host",
      'list the addresses',
      [],
    ],
    [
      { 'fail2ban.ignorecommand': '/bin/sh -c reboot' },
      'fail2ban.ignorecommand=/bin/sh -c reboot',
      "ignorecommand can't be set by label",
      'a label must not run commands',
      [],
    ],
    [
      { 'fail2ban.action': 'x' },
      'fail2ban.action=x',
      "action can't be set by label",
      'a label must not run commands',
      [],
    ],
    [
      { 'fail2ban.banaction': 'x' },
      'fail2ban.banaction=x',
      "banaction can't be set by label",
      'bans are made by dock2ban itself',
      [],
    ],
    [
      { 'fail2ban.backend': 'systemd' },
      'fail2ban.backend=systemd',
      "backend can't be set by label",
      'use fail2ban.source=',
      [],
    ],
    [
      { 'fail2ban.journalmatch': '_UID=0' },
      'fail2ban.journalmatch=_UID=0',
      "journalmatch can't be set by label",
      'use fail2ban.source=journald',
      [],
    ],
    [
      { 'fail2ban.protocol': 'udp' },
      'fail2ban.protocol=udp',
      "protocol can't be set by label",
      'name the protocol with the port',
      [],
    ],
    [
      { 'fail2ban.enabled': 'false' },
      'fail2ban.enabled=false',
      "enabled can't be set by label",
      'fail2ban.jail names the jails',
      [],
    ],
    [
      { 'fail2ban.bantime.formula': 'exit()' },
      'fail2ban.bantime.formula=exit()',
      'unknown function exit at position 1',
      'use one of min',
      [],
    ],
    [
      { 'fail2ban.failregex': 'x'.repeat(20_000) },
      'fail2ban.failregex=xxx',
      'its value has 20000 characters',
      'keep it below 16384',
      [],
    ],
  ])('%j', (labels, label, message, fix, left) => {
    const { jails, problems } = resolveLabels({ ...good, ...labels });
    expect(problems).toHaveLength(1);
    const [problem] = problems;
    expect(problem?.where).toContain(`container web, label ${label}`);
    expect(problem).toMatchObject({ severity: 'warn', container: 'web' });
    expect(problem?.message).toContain(message);
    expect(problem?.fix).toContain(fix);
    expect(jails.map(({ name }) => name)).toEqual(left);
  });

  it.each([
    [
      { 'fail2ban.jail': 'nginx-prxy' },
      'fail2ban.jail=nginx-prxy',
      'unknown jail or filter "nginx-prxy"',
      'did you mean nginx-proxy?',
    ],
    [
      { 'fail2ban.jail': 'NGINX-PROXY' },
      'fail2ban.jail=NGINX-PROXY',
      'unknown jail or filter "NGINX-PROXY"',
      'did you mean nginx-proxy?',
    ],
    [
      { 'fail2ban.jail': 'quite-unknown' },
      'fail2ban.jail=quite-unknown',
      'unknown jail or filter "quite-unknown"',
      'add [quite-unknown] to jail.local',
    ],
    [{ 'fail2ban.jail': '' }, 'fail2ban.jail=', 'no jail is named', 'write fail2ban.jail=nginx-proxy'],
    [{ 'fail2ban.jail': '-x;y' }, 'fail2ban.jail=-x;y', 'invalid jail name "-x;y"', 'use letters'],
    [
      { 'Fail2ban.Jail': 'sshd', 'fail2ban.bantime': '1h' },
      'Fail2ban.Jail=sshd',
      'has no label fail2ban.jail, so it is left alone',
      'did you mean fail2ban.jail?',
    ],
    [
      { 'fail2ban.jial': 'sshd', 'fail2ban.bantime': '1h' },
      'fail2ban.jial=sshd',
      'has no label fail2ban.jail, so it is left alone',
      'did you mean fail2ban.jail?',
    ],
    [
      { 'fail2ban.jails': 'sshd' },
      'fail2ban.jails=sshd',
      'has no label fail2ban.jail, so it is left alone',
      'did you mean fail2ban.jail?',
    ],
  ])('%j opens no jail', (labels, label, message, fix) => {
    const { jails, problems } = resolveLabels(labels);
    expect(jails).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ severity: 'warn', where: `container web, label ${label}` });
    expect(problems[0]?.message).toContain(message);
    expect(problems[0]?.fix).toContain(fix);
  });

  it('says that a container publishes nothing, and runs the jail', () => {
    const { jails, problems } = resolveLabels({ 'fail2ban.jail': 'sshd' }, { publishedPorts: [] });
    expect(jails).toMatchObject([{ name: 'sshd', closes: [] }]);
    expect(problems).toMatchObject([
      {
        severity: 'warn',
        where: 'container web, label fail2ban.jail=sshd',
        message: 'the container publishes no port of its own, so a ban would close nothing',
      },
    ]);
  });

  const onLoopback = {
    protocol: 'tcp',
    hostAddress: '127.0.0.1',
    hostPort: 8500,
    containerPort: 80,
  } as const;
  const onLoopback6 = { ...onLoopback, hostAddress: '::1' };
  const onAll = { ...onLoopback, hostAddress: '0.0.0.0' };
  const onPrivate = { ...onLoopback, hostAddress: '10.0.0.5' };

  it.each([[[onLoopback]], [[onLoopback, onLoopback6]]])(
    'says that what is published for this host alone, %j, is reached through a proxy, which a ban does not close',
    (publishedPorts) => {
      const { jails, problems } = resolveLabels({ 'fail2ban.jail': 'sshd' }, { publishedPorts });
      expect(jails).toMatchObject([{ name: 'sshd' }]);
      expect(problems).toMatchObject([
        {
          severity: 'warn',
          where: 'container web, label fail2ban.jail=sshd',
          message: expect.stringContaining('only this host reaches'),
          fix: expect.stringContaining('set port = all in [sshd] of jail.local'),
        },
      ]);
    },
  );

  it.each([[[onAll]], [[onLoopback, onAll]], [[onPrivate]]])(
    'says nothing of ports that clients reach: %j',
    (publishedPorts) => {
      expect(resolveLabels({ 'fail2ban.jail': 'sshd' }, { publishedPorts }).problems).toEqual([]);
    },
  );

  it.each([
    [
      { driver: 'syslog', options: { tag: '{{.Odd}}', 'cache-disabled': 'true' }, tag: undefined },
      'the tag of its syslog driver ("{{.Odd}}") can\'t be told',
    ],
    [{ driver: 'none', options: {}, tag: undefined }, 'its log driver is "none"'],
  ])('says that the log can not be read: %j', (logging, message) => {
    const { jails, problems } = resolveLabels({ 'fail2ban.jail': 'sshd' }, { logging });
    expect(jails).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(message);
  });

  it('stays quick and small whatever arguments a label gives a filter', () => {
    const bomb = Array.from({ length: 400 }, (_, n) => `a${n}="${`<a${n + 1}>`.repeat(3)}"`).join(',');
    const started = performance.now();
    const { problems } = resolveLabels({
      'fail2ban.jail': 'sshd',
      'fail2ban.filter': `sshd[${bomb},a400="${'x'.repeat(99)}"]`,
    });
    expect(problems[0]?.message).toMatch(/grow without end|refers to itself/);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
