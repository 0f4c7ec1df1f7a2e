import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalPrefix } from '../../../src/net/address.ts';
import { readAccess } from '../../../src/config/labels/access.ts';
import { container } from '../container.ts';
import { resolveLabels } from './resolve-labels.ts';

const web = [
  { protocol: 'tcp', first: 80, last: 80, hostAddress: undefined },
  { protocol: 'tcp', first: 443, last: 443, hostAddress: undefined },
];

describe('labels that say who gets to a container', () => {
  it.each<[string, Record<string, string>, readonly string[] | undefined, readonly string[]]>([
    [
      'allowfrom',
      { 'fail2ban.allowfrom': '192.0.2.0/24,2001:db8::/32' },
      ['192.0.2.0/24', '2001:db8::/32'],
      [],
    ],
    ['denyfrom', { 'fail2ban.denyfrom': '192.0.2.7' }, undefined, ['192.0.2.7']],
    [
      'both',
      { 'fail2ban.allowfrom': '192.0.2.0/24', 'fail2ban.denyfrom': '192.0.2.7' },
      ['192.0.2.0/24'],
      ['192.0.2.7'],
    ],
    [
      'spaces',
      { 'fail2ban.denyfrom': ' 192.0.2.7\n192.0.2.8 , ,192.0.2.9 ' },
      undefined,
      ['192.0.2.7', '192.0.2.8', '192.0.2.9'],
    ],
    [
      'other spellings',
      { 'fail2ban.denyfrom': '192.0.2.7/24 2001:DB8:0::1/64 ::ffff:198.51.100.1' },
      undefined,
      ['192.0.2.0/24', '198.51.100.1', '2001:db8::/64'],
    ],
    [
      'overlaps',
      { 'fail2ban.denyfrom': '192.0.2.7,192.0.2.0/24,192.0.2.0/25,192.0.2.7' },
      undefined,
      ['192.0.2.0/24'],
    ],
    ['everyone', { 'fail2ban.allowfrom': '0.0.0.0/0' }, ['0.0.0.0/0'], []],
    ['capitals', { 'fail2ban.AllowFrom': '192.0.2.7' }, ['192.0.2.7'], []],
    [
      'beside a jail',
      { 'fail2ban.jail': 'sshd', 'fail2ban.denyfrom': '192.0.2.7' },
      undefined,
      ['192.0.2.7'],
    ],
  ])('%s', (_, labels, allow, deny) => {
    const { access, problems } = resolveLabels(labels);
    expect(access).toEqual([{ container: 'web', closes: web, allow, deny }]);
    expect(problems).toEqual([]);
  });

  it('need no jail, and close nothing where they are not', () => {
    expect(resolveLabels({ 'fail2ban.denyfrom': '192.0.2.7' }).jails).toEqual([]);
    expect(resolveLabels({ 'fail2ban.jail': 'sshd' }).access).toEqual([]);
  });

  it('close the ports that are published, on the addresses on which they are', () => {
    const publishedPorts = [
      { protocol: 'udp', hostAddress: '192.0.2.1', hostPort: 53, containerPort: 5353 },
      { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8000, containerPort: 80 },
      { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8001, containerPort: 81 },
    ] as const;
    const { access } = resolveLabels(
      { 'fail2ban.denyfrom': '192.0.2.7', 'fail2ban.jail': 'sshd', 'fail2ban.port': 'all' },
      { publishedPorts },
    );
    expect(access[0]?.closes).toEqual([
      { protocol: 'tcp', first: 8000, last: 8001, hostAddress: undefined },
      { protocol: 'udp', first: 53, last: 53, hostAddress: '192.0.2.1' },
    ]);
  });

  it('close the ports that fail2ban.port lists, with network_mode: host, and never all of the host', () => {
    const onHost = { hostNetwork: true, publishedPorts: [] };
    const labels = { 'fail2ban.allowfrom': '192.0.2.7' };
    const listed = resolveLabels({ ...labels, 'fail2ban.port': '8080,53/udp' }, onHost);
    expect(listed.access[0]?.closes.map(({ first }) => first)).toEqual([8080, 53]);
    expect(listed.problems).toEqual([]);
    for (const port of ['all', 'published', 'nonsense', undefined]) {
      const { access, problems } = resolveLabels(
        { ...labels, ...(port !== undefined && { 'fail2ban.port': port }) },
        onHost,
      );
      expect(access).toEqual([]);
      expect(problems).toMatchObject([
        { severity: 'warn', message: expect.stringContaining('nothing is closed') },
      ]);
    }
  });
});

describe('labels that cannot be used', () => {
  const one = (labels: Record<string, string>, more?: Parameters<typeof container>[2]) => {
    const { access, problems } = resolveLabels(labels, more);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ severity: 'warn', container: 'web' });
    return { access: access[0], problem: problems[0]! };
  };

  it('leave the good entries of allowfrom in force, for whom they name and nobody else', () => {
    const value = '192.0.2.0/24,office.example.com,2001:db8::/129';
    const { access, problem } = one({ 'fail2ban.allowfrom': value });
    expect(access?.allow).toEqual(['192.0.2.0/24']);
    expect(problem.where).toBe(`container web, label fail2ban.allowfrom=${value}`);
    expect(problem.message).toBe(
      'invalid address or prefix "office.example.com", "2001:db8::/129" (names are not looked up): skipped',
    );
    expect(problem.fix).toContain('192.0.2.0/24,2001:db8::/32');
  });

  it.each(['office.example.com', '', ' , ', '300.0.0.1', 'x'.repeat(20_000), '192.0.2.7,'.repeat(1001)])(
    'close the ports to everyone, and say so, if no entry of allowfrom is any good',
    (value) => {
      const { access, problem } = one({ 'fail2ban.allowfrom': value });
      expect(access).toMatchObject({ allow: [], deny: [] });
      expect(problem.message).toContain('so its published ports are closed to everyone outside this host');
      expect(problem.fix).toContain('remove the label');
      expect(problem.where.length).toBeLessThan(300);
    },
  );

  it('shut out whom denyfrom can be told to', () => {
    const { access, problem } = one({ 'fail2ban.denyfrom': '192.0.2.7 evil.example.com' });
    expect(access).toMatchObject({ allow: undefined, deny: ['192.0.2.7'] });
    expect(problem.message).toContain('invalid address or prefix "evil.example.com"');
    expect(one({ 'fail2ban.denyfrom': 'evil.example.com' }).access).toBeUndefined();
    expect(one({ 'fail2ban.denyfrom': '' }).problem.message).toContain('blocks nobody');
  });

  it('are told where there is nothing to close', () => {
    const { access, problem } = one({ 'fail2ban.allowfrom': '192.0.2.7' }, { publishedPorts: [] });
    expect(access).toBeUndefined();
    expect(problem.message).toContain('publishes no port');
  });

  it.each([
    [{ 'fail2ban.allowform': '192.0.2.7' }, 'did you mean fail2ban.allowfrom?'],
    [{ 'fail2ban.jail': 'sshd', 'fail2ban.denyform': '192.0.2.7' }, 'did you mean denyfrom?'],
    [{ 'fail2ban.jail': 'sshd', 'fail2ban.jail.sshd.allowfrom': '192.0.2.7' }, 'write fail2ban.allowfrom'],
  ])('%j: %s', (labels, fix) => {
    expect(one(labels).problem.fix).toBe(fix);
  });

  it('never let in anyone whom they do not name', () => {
    const entry = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.tuple(fc.ipV4(), fc.integer({ min: -1, max: 34 })).map(([ip, bits]) => `${ip}/${bits}`),
      fc.tuple(fc.ipV6(), fc.integer({ min: -1, max: 130 })).map(([ip, bits]) => `${ip}/${bits}`),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
        const value = entries.join(',');
        const { access, problems } = readAccess(container('web', { 'fail2ban.allowfrom': value }));
        const good = value.split(/[\s,]+/).flatMap((text) => canonicalPrefix(text) ?? []);
        for (const prefix of access!.allow!) expect(good).toContain(prefix);
        expect(access!.allow!.length > 0).toBe(good.length > 0);
        expect(problems.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
