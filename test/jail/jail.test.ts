import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/filter/failure.ts';
import { parseBanFormula, defaultFormula } from '../../src/config/options/bantime-increment.ts';
import type { Jail } from '../../src/jail/jail.ts';
import { newHistory, newJail } from './new-jail.ts';
import { jailSpec as spec } from './jail-spec.ts';

const now = Date.UTC(2026, 10, 22, 13, 44, 53);

function failure(id: string, time: number): Failure {
  return { id, time, attempts: 1, lines: [], fields: {} };
}

function provoke(jail: Jail, id: string, times: number, at = now) {
  let verdict = jail.observe(failure(id, at), at);
  for (let i = 1; i < times; i++) verdict = jail.observe(failure(id, at), at);
  return verdict;
}

describe('Jail', () => {
  it('bans at maxretry, from the time of the last failure', () => {
    const jail = newJail(spec());
    expect(provoke(jail, '198.51.100.66', 2)).toEqual({ kind: 'found', failures: 2 });
    const ban = { jail: 'nginx-proxy', ip: '198.51.100.66', since: now - 5000, until: now + 595_000 };
    const late = newJail(spec());
    provoke(late, '198.51.100.66', 2, now - 5000);
    expect(late.observe(failure('198.51.100.66', now - 5000), now)).toEqual({
      kind: 'ban',
      failures: 3,
      renewed: false,
      lines: [],
      ban,
    });
    expect([...late.bans.values()]).toEqual([ban]);
  });

  it('bans for ever with bantime -1', () => {
    const jail = newJail(spec({ bantime: -1 }));
    expect(provoke(jail, '198.51.100.66', 3)).toMatchObject({ kind: 'ban', ban: { until: undefined } });
    expect(jail.expire(now + 1e15)).toEqual([]);
  });

  it('counts a failure from the future as now', () => {
    const jail = newJail(spec({ maxretry: 1 }));
    const verdict = jail.observe(failure('198.51.100.66', now + 30_000), now);
    expect(verdict).toMatchObject({ ban: { since: now, until: now + 600_000 } });
  });

  it('makes no ban that would be over', () => {
    const jail = newJail(spec({ maxretry: 1, bantime: 10 }));
    expect(jail.observe(failure('198.51.100.66', now - 11_000), now).kind).toBe('expired');
    expect(jail.bans.size).toBe(0);
  });

  it.each([
    ['198.51.100.66', '198.51.100.66'],
    ['198.51.100.0/24', '198.51.100.66'],
    ['2001:db8::/32', '2001:db8:1::66'],
    ['::ffff:198.51.100.66', '198.51.100.66'],
  ])('ignores %s: %s', (entry, ip) => {
    const jail = newJail(spec({ ignoreip: [entry] }));
    expect(provoke(jail, ip, 9)).toEqual({ kind: 'ignored' });
    expect(provoke(jail, '192.0.2.1', 3).kind).toBe('ban');
  });

  it('renews a ban that further failures make longer, and counts one ban', () => {
    const jail = newJail(spec({ maxretry: 1 }));
    provoke(jail, '198.51.100.66', 1);
    const verdict = jail.observe(failure('198.51.100.66', now + 1000), now + 1000);
    expect(verdict).toMatchObject({ kind: 'ban', renewed: true, ban: { since: now, until: now + 601_000 } });
    expect(jail.totalBans).toBe(1);
  });

  it('ends bans on time, once', () => {
    const jail = newJail(spec({ maxretry: 1 }));
    provoke(jail, '198.51.100.66', 1);
    provoke(jail, '198.51.100.67', 1, now + 1000);
    expect(jail.expire(now + 599_999)).toEqual([]);
    expect(jail.expire(now + 600_000).map(({ ip }) => ip)).toEqual(['198.51.100.66']);
    expect(jail.expire(now + 600_500)).toEqual([]);
    expect(jail.expire(now + 601_000).map(({ ip }) => ip)).toEqual(['198.51.100.67']);
  });

  it('unban forgets the failures too', () => {
    const jail = newJail(spec());
    provoke(jail, '198.51.100.66', 2);
    expect(jail.unban('198.51.100.66')).toBeUndefined();
    expect(provoke(jail, '198.51.100.66', 2).kind).toBe('found');
  });

  it('a ban by hand lasts bantime and only ever gets longer', () => {
    const jail = newJail(spec());
    expect(jail.ban('192.0.2.1', now)).toEqual({
      renewed: false,
      ban: { jail: 'nginx-proxy', ip: '192.0.2.1', since: now, until: now + 600_000 },
    });
    expect(jail.ban('192.0.2.1', now)).toBeUndefined();
    expect(jail.ban('192.0.2.1', now + 1000)).toMatchObject({ renewed: true, ban: { until: now + 601_000 } });
  });

  it('keeps counts and bans when its options change', () => {
    const jail = newJail(spec());
    provoke(jail, '192.0.2.1', 3);
    provoke(jail, '192.0.2.2', 2);
    jail.update(spec({ maxretry: 2, bantime: 60 }));
    expect(jail.bans.size).toBe(1);
    expect(jail.observe(failure('192.0.2.2', now), now)).toMatchObject({
      kind: 'ban',
      ban: { until: now + 60_000 },
    });
  });
});

describe('prefixes', () => {
  const neighbours = ['2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:2:ffff::3'];

  it('counts and bans an IPv6 party by its /64', () => {
    const jail = newJail(spec());
    const verdicts = neighbours.map((ip) => jail.observe(failure(ip, now), now));
    expect(verdicts.map((verdict) => verdict.kind)).toEqual(['found', 'found', 'ban']);
    expect(verdicts[2]).toMatchObject({ failures: 3, ban: { ip: '2001:db8:1:2::/64' } });
    expect(jail.observe(failure('2001:db8:1:3::1', now), now)).toEqual({ kind: 'found', failures: 1 });
    expect([...jail.bans.keys()]).toEqual(['2001:db8:1:2::/64']);
  });

  it('counts addresses apart with ipv6prefix 128', () => {
    const jail = newJail(spec({ ipv6prefix: 128 }));
    for (const ip of neighbours) {
      expect(jail.observe(failure(ip, now), now)).toEqual({ kind: 'found', failures: 1 });
    }
    expect(provoke(jail, neighbours[0]!, 2)).toMatchObject({ kind: 'ban', ban: { ip: neighbours[0] } });
  });

  it('never bans the prefix of an address that ignoreip names, but the offender in it', () => {
    for (const entry of ['2001:db8:1:2::9', '2001:db8:1:2:8000::/65', '2001:db8:1:2:0:0:0:9/127']) {
      const jail = newJail(spec({ ignoreip: [entry] }));
      expect(provoke(jail, neighbours[0]!, 3)).toMatchObject({ kind: 'ban', ban: { ip: neighbours[0] } });
      expect(provoke(jail, neighbours[1]!, 2)).toEqual({ kind: 'found', failures: 2 });
    }
    const jail = newJail(spec());
    jail.setIgnoredNow(['2001:db8:1:2::9']);
    expect(provoke(jail, neighbours[0]!, 3)).toMatchObject({ ban: { ip: neighbours[0] } });
    expect(provoke(jail, '2001:db8:1:2::9', 9)).toEqual({ kind: 'ignored' });
  });

  it('never bans a prefix with an address that no jail may ban', () => {
    const jail = newJail(spec({ maxretry: 1 }));
    const verdict = jail.observe(
      failure(neighbours[0]!, now),
      now,
      (prefix) => prefix === '2001:db8:1:2::/64',
    );
    expect(verdict).toMatchObject({ kind: 'ban', ban: { ip: neighbours[0] } });
  });

  it('tells which bans are in a prefix, and which cover an address', () => {
    const jail = newJail(spec());
    for (const ip of ['203.0.113.0/24', '203.0.113.7', '203.0.113.64/26', '203.0.112.1', '2001:db8::/64']) {
      jail.ban(ip, now);
    }
    const ips = (bans: { ip: string }[]): string[] => bans.map(({ ip }) => ip);
    expect(ips(jail.bansWithin('203.0.113.0/24'))).toEqual([
      '203.0.113.0/24',
      '203.0.113.7',
      '203.0.113.64/26',
    ]);
    expect(ips(jail.bansWithin('203.0.113.8'))).toEqual([]);
    expect(ips(jail.bansAround('203.0.113.70'))).toEqual(['203.0.113.0/24', '203.0.113.64/26']);
    expect(ips(jail.bansAround('203.0.113.0/24'))).toEqual([]);
    expect(ips(jail.bansAround('2001:db8::5'))).toEqual(['2001:db8::/64']);
  });

  it('forgets the failures of the whole party when one of its addresses is unbanned', () => {
    const jail = newJail(spec());
    provoke(jail, neighbours[0]!, 2);
    jail.unban(neighbours[1]!);
    expect(provoke(jail, neighbours[2]!, 2).kind).toBe('found');
  });

  it('tells which entry of ignoreip a prefix has an address of', () => {
    const jail = newJail(spec({ ignoreip: ['192.0.2.0/25', 'somebody'] }));
    expect(jail.ignoredWithin('192.0.2.0/24')).toBe('192.0.2.0/25');
    expect(jail.ignoredWithin('192.0.2.9')).toBe('192.0.2.0/25');
    expect(jail.ignoredWithin('192.0.2.128/25')).toBeUndefined();
  });
});

describe('bantime.increment', () => {
  const increment = {
    formula: parseBanFormula(defaultFormula),
    multipliers: [],
    factor: 1,
    maxtime: undefined,
    rndtime: 0,
    overalljails: false,
  };

  /** Lengths, in seconds, of bans one after the other. */
  function lengths(jail: Jail, bans: number): number[] {
    let at = now;
    return Array.from({ length: bans }, () => {
      at += 60_000;
      let verdict = provoke(jail, '198.51.100.66', 1, at);
      while (verdict.kind === 'found') verdict = provoke(jail, '198.51.100.66', 1, at);
      if (verdict.kind !== 'ban') throw new Error(verdict.kind);
      jail.unban('198.51.100.66');
      return (verdict.ban.until! - verdict.ban.since) / 1000;
    });
  }

  it("doubles with every ban, by fail2ban's own formula", () => {
    expect(lengths(newJail(spec({ increment })), 5)).toEqual([600, 1200, 2400, 4800, 9600]);
  });

  it('follows multipliers, the longest time and chance', () => {
    const jail = newJail(
      spec({ increment: { ...increment, multipliers: [1, 5, 30], maxtime: 10_000, rndtime: 100 } }),
      newHistory(),
      () => 0.5,
    );
    expect(lengths(jail, 4)).toEqual([600, 3050, 10_050, 10_050]);
  });

  it('counts the bans of other jails with overalljails only', () => {
    for (const [overalljails, second] of [
      [false, 600],
      [true, 1200],
    ] as const) {
      const history = newHistory();
      lengths(newJail(spec({ name: 'other', increment }), history), 1);
      const jail = newJail(spec({ increment: { ...increment, overalljails } }), history);
      expect(lengths(jail, 1)).toEqual([second]);
    }
  });

  it('gives failures of those who were banned before more weight: 2, 3, 5, … up to maxretry', () => {
    const jail = newJail(spec({ maxretry: 5, increment }));
    const first = (at: number) => {
      const verdict = provoke(jail, '198.51.100.66', 1, at);
      return 'failures' in verdict ? verdict.failures : 0;
    };
    const weights = [1, 2, 3, 4, 5].map((hour) => {
      const weight = first(now + hour * 3_600_000);
      jail.ban('198.51.100.66', now + hour * 3_600_000);
      jail.unban('198.51.100.66');
      return weight;
    });
    expect(weights).toEqual([1, 2, 3, 5, 5]);
  });

  it('forgets bans a day after the last', () => {
    const history = newHistory();
    history.add('198.51.100.66', 'nginx-proxy', now);
    expect(history.count('198.51.100.66', 'nginx-proxy', now + 86_400_000)).toBe(1);
    expect(history.count('198.51.100.66', 'nginx-proxy', now + 86_400_001)).toBe(0);
  });
});
