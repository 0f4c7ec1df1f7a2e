import { describe, expect, it } from 'vitest';
import type { AccessSpec } from '../../../src/config/labels/access-spec.ts';
import type { ClosedPort } from '../../../src/config/jail-spec.ts';
import {
  accessChainRules,
  accessRules,
  accessSets,
  noAccess,
} from '../../../src/firewall/access/access-rules.ts';
import { NeverBan } from '../../../src/firewall/bans/never-ban.ts';
import { inetLayout } from '../../../src/firewall/nft/inet-plan.ts';

const port = (first: number, more: Partial<ClosedPort> = {}): ClosedPort => ({
  protocol: 'tcp',
  first,
  last: first,
  hostAddress: undefined,
  ...more,
});
const web = (more: Partial<AccessSpec>): AccessSpec => ({
  container: 'web',
  closes: [port(80)],
  allow: undefined,
  deny: [],
  ...more,
});
const neverBan = new NeverBan({
  host: ['192.0.2.1', 'fe80::1', '172.17.0.1'],
  gateways: ['172.17.0.1'],
  dockerSubnets: ['172.17.0.0/16', 'fd00::/64'],
});

/** The rules with the contents of sets in the place of their names. */
function rules(family: 4 | 6, ...containers: AccessSpec[]): string[] {
  const access = accessRules(containers, neverBan);
  const sets = accessSets([4, 6], access);
  return accessChainRules(family, access, () => true).map((rule) =>
    rule.replaceAll(/dock2ban-a\S+/g, (name) => `{${sets.get(name)!.members.join(' ')}}`),
  );
}

describe('rules of iptables', () => {
  const own = '-m set ! --match-set {127.0.0.0/8 172.17.0.0/16 192.0.2.1} src';
  const own6 = '-m set ! --match-set {::1 fd00::/64} src';
  const forwarded = '! -i lo -p tcp -m conntrack --ctstate DNAT --ctorigdstport 80 --ctdir ORIGINAL';
  const local =
    '! -i lo -p tcp -m conntrack --ctorigdstport 80 --ctdir ORIGINAL -m addrtype --dst-type LOCAL';

  it('close to those denied, then to all but those allowed, never to this host and its containers', () => {
    const both = web({ allow: ['198.51.100.0/24'], deny: ['198.51.100.7', '2001:db8::/32'] });
    const ends = [
      '-m set --match-set {198.51.100.7} src -j DROP',
      '-m set ! --match-set {198.51.100.0/24} src -j DROP',
    ];
    expect(rules(4, both)).toEqual(
      [forwarded, local].flatMap((start) => ends.map((end) => `${start} ${own} ${end}`)),
    );
    const ends6 = ['-m set --match-set {2001:db8::/32} src -j DROP', '-j DROP'];
    expect(rules(6, both)).toEqual(
      [forwarded, local].flatMap((start) => ends6.map((end) => `${start} ${own6} ${end}`)),
    );
  });

  it('close nothing where nobody is named, and everything where nobody is allowed', () => {
    expect(rules(6, web({ deny: ['192.0.2.7'] }))).toEqual([]);
    expect(rules(4, web({ allow: [] }))).toEqual([`${forwarded} ${own} -j DROP`, `${local} ${own} -j DROP`]);
    expect(rules(4)).toEqual([]);
  });

  it('tell everyone in halves', () => {
    expect(rules(4, web({ deny: ['0.0.0.0/0'] }))[0]).toContain('{0.0.0.0/1 128.0.0.0/1}');
    expect(rules(6, web({ deny: ['::/0'] }))[0]).toContain('{::/1 8000::/1}');
  });

  it('close nothing for lack of the set that exempts, or of the one that allows', () => {
    const access = accessRules([web({ allow: ['198.51.100.7'], deny: ['198.51.100.8'] })], neverBan);
    const [exempt, allow] = [...accessSets([4], access).keys()];
    expect(accessChainRules(4, access, (set) => set !== exempt)).toEqual([]);
    const rest = accessChainRules(4, access, (set) => set !== allow);
    expect(rest).toHaveLength(2);
    for (const rule of rest) expect(rule).toContain('-m set --match-set');
  });

  it('do not depend on the order of containers', () => {
    const [a, b] = [web({ allow: [] }), web({ container: 'b', deny: ['198.51.100.7'] })];
    expect(rules(4, a, b)).toEqual(rules(4, b, a));
  });

  it('share the sets of equal lists, and name others otherwise', () => {
    const names = (...containers: AccessSpec[]): string[] => [
      ...accessSets([4], accessRules(containers, neverBan)).keys(),
    ];
    const deny = ['198.51.100.7'];
    expect(names(web({ deny }), web({ container: 'b', allow: deny }))).toHaveLength(2);
    expect(names(web({ deny }))).not.toEqual(names(web({ deny: ['198.51.100.8'] })));
    for (const name of names(web({ deny }))) expect(name.length).toBeLessThanOrEqual(31);
  });
});

describe('the table of nft', () => {
  const chains = (...containers: AccessSpec[]): Record<string, string[]> =>
    Object.fromEntries(
      Array.from(inetLayout([], [], accessRules(containers, neverBan)).chains, ([name, chain]) => [
        name,
        chain.rules.map(({ text }) => text),
      ]),
    );

  it('has a chain a container, entered for its ports where packets are for this host or were redirected by it', () => {
    const spec = web({
      closes: [port(80), port(53, { protocol: 'udp', last: 60 }), port(8080, { hostAddress: '2001:db8::1' })],
      allow: ['198.51.100.0/24', '2001:db8::/32'],
      deny: ['198.51.100.7'],
    });
    expect(chains(spec)).toMatchObject({
      input: ['jump access', 'goto guard'],
      forward: ['ct status dnat jump access', 'goto guard'],
      guard: [],
      access: [
        'iifname lo return',
        'ct direction reply return',
        'meta l4proto tcp ct original proto-dst 80 jump access-web',
        'meta l4proto udp ct original proto-dst 53-60 jump access-web',
        'meta l4proto tcp ct original ip6 daddr 2001:db8::1 ct original proto-dst 8080 jump access-web',
      ],
      'access-web': [
        'ip saddr { 127.0.0.0/8, 172.17.0.0/16, 192.0.2.1 } return',
        'ip6 saddr { ::1, fd00::/64 } return',
        'ip saddr { 198.51.100.7 } counter drop',
        'ip saddr { 198.51.100.0/24 } return',
        'ip6 saddr { 2001:db8::/32 } return',
        'counter drop',
      ],
    });
  });

  it('lets everyone in whom denyfrom alone does not name', () => {
    expect(chains(web({ deny: ['2001:db8::7'] }))['access-web']!.at(-1)).toBe(
      'ip6 saddr { 2001:db8::7 } counter drop',
    );
  });

  it('has nothing of it if no label says anything', () => {
    expect(inetLayout([], [], noAccess)).toEqual(inetLayout([], []));
    expect(Object.keys(chains())).toEqual(['banned', 'guard', 'input', 'forward']);
  });

  it('names its chains so that nothing in a name gets into a command', () => {
    const names = Object.keys(chains(web({ container: 'x; flush ruleset' }))).filter((name) =>
      name.startsWith('access-'),
    );
    expect(names).toHaveLength(1);
    expect(names[0]).toMatch(/^[\w.-]+$/);
  });
});
