import { describe, expect, it } from 'vitest';
import { resolveLabels } from './resolve-labels.ts';

describe('labels that can be used', () => {
  it("takes the seed's failregex exactly as written", () => {
    const failregex = '^.*nginx-proxy.*\\.example\\.com\\s<HOST>\\s-\\s-\\s.*HTTP/.*" 404';
    const { jails, problems } = resolveLabels({
      'fail2ban.jail': 'nginx-proxy',
      'fail2ban.failregex': failregex,
    });
    expect(problems).toMatchObject([{ severity: 'doubt' }]);
    expect(jails[0]?.filter.failregex).toEqual([failregex]);
  });

  it('leaves a container without fail2ban labels alone, silently', () => {
    expect(resolveLabels({ 'com.docker.compose.service': 'x' })).toMatchObject({
      jails: [],
      access: [],
      problems: [],
    });
  });

  it('takes several jails, options for all and for one', () => {
    const { jails, problems } = resolveLabels({
      'fail2ban.jail': 'nginx-proxy, sshd',
      'fail2ban.maxretry': '7',
      'fail2ban.bantime.increment': 'true',
      'fail2ban.jail.sshd.maxretry': '2',
      'fail2ban.jail.sshd.bantime.maxtime': '5w',
      'fail2ban.mode': 'aggressive',
    });
    expect(problems).toEqual([]);
    expect(jails.map(({ name, maxretry }) => [name, maxretry])).toEqual([
      ['nginx-proxy', 7],
      ['sshd', 2],
    ]);
    expect(jails.map(({ increment }) => increment?.maxtime)).toEqual([undefined, 3_024_000]);
    expect(jails[0]?.filter.failregex).toEqual(['^401|404 <HOST>']);
  });

  it('gives the mode to a filter that is named without one, and leaves one that is named with it', () => {
    const failregex = (filter: string) =>
      resolveLabels({ 'fail2ban.jail': 'own', 'fail2ban.filter': filter, 'fail2ban.mode': 'aggressive' })
        .jails[0]?.filter.failregex;
    expect(failregex('nginx-proxy')).toEqual(['^401|404 <HOST>']);
    expect(failregex('nginx-proxy[mode=normal]')).toEqual(['^404 <HOST>']);
  });

  it('tells jails whose names contain dots or begin alike apart', () => {
    const { jails, problems } = resolveLabels({
      'fail2ban.jail': 'my.app my.app.admin',
      'fail2ban.failregex': '^<HOST>',
      'fail2ban.jail.my.app.maxretry': '2',
      'fail2ban.jail.my.app.admin.maxretry': '3',
    });
    expect(problems).toEqual([]);
    expect(jails.map(({ name, maxretry }) => [name, maxretry])).toEqual([
      ['my.app', 2],
      ['my.app.admin', 3],
    ]);
  });

  it('is defined by a section, a filter of its name, a failregex or a filter', () => {
    expect(
      resolveLabels({ 'fail2ban.jail': 'own', 'fail2ban.failregex': '^<HOST>' }).jails[0]?.filter,
    ).toMatchObject({ name: 'own', failregex: ['^<HOST>'] });
    expect(
      resolveLabels({ 'fail2ban.jail': 'own', 'fail2ban.filter': 'nginx-proxy[mode=aggressive]' }).jails[0]
        ?.filter,
    ).toMatchObject({
      name: 'nginx-proxy',
      failregex: ['^401|404 <HOST>'],
    });
    expect(resolveLabels({ 'fail2ban.jail': 'sshd' }).jails[0]?.filter.failregex).toEqual(['^ssh <HOST>']);
  });

  it('takes several expressions, one a line', () => {
    const { jails } = resolveLabels({
      'fail2ban.jail': 'a',
      'fail2ban.failregex': '^x <HOST>\n^y <HOST>\n',
      'fail2ban.ignoreregex': 'z',
      'fail2ban.datepattern': '^%Y',
    });
    expect(jails[0]?.filter).toMatchObject({
      failregex: ['^x <HOST>', '^y <HOST>'],
      ignoreregex: ['z'],
      datepattern: '^%Y',
    });
  });

  it.each([
    [{}, '80/tcp 443/tcp'],
    [{ 'fail2ban.port': '443' }, '443/tcp'],
    [{ 'fail2ban.port': 'published' }, '80/tcp 443/tcp'],
  ])('closes what %j says', (labels, expected) => {
    const closes = resolveLabels({ 'fail2ban.jail': 'sshd', ...labels }).jails[0]?.closes;
    expect(
      typeof closes === 'string'
        ? closes
        : closes?.map(({ first, protocol }) => `${first}/${protocol}`).join(' '),
    ).toBe(expected);
  });

  it.each([
    ['syslog', {}, { kind: 'syslog', program: 'web-tag', container: 'web' }],
    ['json-file', {}, { kind: 'docker', container: 'web' }],
    [
      'journald',
      {},
      { kind: 'journald', matches: [[`CONTAINER_ID_FULL=${'web'.padEnd(64, '0')}`]], container: 'web' },
    ],
    ['syslog', { 'fail2ban.source': 'docker' }, { kind: 'docker', container: 'web' }],
    [
      'json-file',
      { 'fail2ban.source': 'file', 'fail2ban.logpath': '/var/log/app/*.log tail' },
      { kind: 'file', pattern: '/var/log/app/*.log', from: 'tail', container: 'web' },
    ],
    [
      'json-file',
      { 'fail2ban.logpath': '/var/log/app.log' },
      { kind: 'file', pattern: '/var/log/app.log', from: 'head', container: 'web' },
    ],
  ])('reads a container with driver %s and %j', (driver, labels, source) => {
    const { jails, problems } = resolveLabels(
      { 'fail2ban.jail': 'sshd', ...labels },
      { logging: { driver, options: {}, tag: 'web-tag' } },
    );
    expect(problems).toEqual([]);
    expect(jails[0]?.sources).toMatchObject([source]);
  });

  it.each([
    ['{{.Odd}}', undefined],
    ['two words', 'two words'],
  ])("reads Docker's own copy of a log whose syslog tag is %j, and says why", (template, tag) => {
    const logging = { driver: 'syslog', options: { tag: template }, tag };
    const { jails, problems } = resolveLabels({ 'fail2ban.jail': 'sshd' }, { logging });
    expect(jails[0]?.sources).toEqual([
      { kind: 'docker', containerId: 'web'.padEnd(64, '0'), container: 'web' },
    ]);
    expect(problems).toMatchObject([
      { severity: 'info', container: 'web', message: expect.stringContaining('is read instead') },
    ]);
  });

  it.each([
    ['syslog', {}, {}, 'web'.padEnd(64, '0')],
    ['journald', {}, {}, 'web'.padEnd(64, '0')],
    ['syslog', { 'fail2ban.source': 'syslog' }, {}, undefined],
    ['journald', {}, { 'cache-disabled': 'true' }, undefined],
  ])(
    'names the copy to read while the log driver %s fails, with %j and %j',
    (driver, labels, options, id) => {
      const logging = { driver, options, tag: 'web' };
      const { jails } = resolveLabels({ 'fail2ban.jail': 'sshd', ...labels }, { logging });
      expect(jails[0]?.sources).toMatchObject([{ kind: driver, ...(id !== undefined && { fallback: id }) }]);
      expect(id !== undefined || !('fallback' in jails[0]!.sources[0]!)).toBe(true);
    },
  );

  it.each([
    [{ 'fail2ban.source': 'syslog' }, {}],
    [{}, { 'cache-disabled': 'true' }],
  ])('has no copy to read with %j and %j', (labels, options) => {
    const logging = { driver: 'syslog', options: { tag: '{{.Odd}}', ...options }, tag: undefined };
    const { jails, problems } = resolveLabels({ 'fail2ban.jail': 'sshd', ...labels }, { logging });
    expect(jails).toEqual([]);
    expect(problems).toMatchObject([{ severity: 'warn', message: expect.stringContaining("can't be told") }]);
  });
});
