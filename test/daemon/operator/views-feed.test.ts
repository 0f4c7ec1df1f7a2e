import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { LogEvent } from '../../../src/control/api.ts';
import { EventCounts } from '../../../src/daemon/events/event-counts.ts';
import { EventFeed } from '../../../src/daemon/events/event-feed.ts';
import { eventLog } from '../../../src/daemon/events/event-log.ts';

const start = Date.UTC(2026, 10, 22, 13, 44, 53);
const ban = { jail: 'sshd', ip: '203.0.113.7', since: start, until: start + 600_000 };

function feedOf(clock = () => start) {
  const feed = new EventFeed(clock);
  const printed: string[] = [];
  const logger = pino({ level: 'error' }, { write: (line: string) => void printed.push(line) });
  return { feed, events: eventLog(feed.tee(logger)), printed };
}

const read = (feed: EventFeed): LogEvent[] => feed.after(0).map(({ json }): LogEvent => JSON.parse(json));

describe('EventFeed', () => {
  it('has every event with its fields, also those that are not printed', () => {
    const { feed, events, printed } = feedOf();
    const live: string[] = [];
    const end = feed.subscribe(({ event }) => live.push(event));
    events.ban(ban, 5, false);
    end();
    events.firewallError('bans of sshd', 'no lock', undefined);
    expect(printed).toHaveLength(1);
    expect(live).toEqual(['ban']);
    expect(read(feed)).toEqual([
      {
        id: start * 1000 + 1,
        time: '2026-11-22T13:44:53.000Z',
        level: 'info',
        event: 'ban',
        jail: 'sshd',
        ip: '203.0.113.7',
        failures: 5,
        bantime: 600,
        until: '2026-11-22T13:54:53.000Z',
        msg: '[sshd] Ban 203.0.113.7',
      },
      expect.objectContaining({ id: start * 1000 + 2, level: 'error', event: 'firewall-error' }),
    ]);
  });

  it('has ids that grow over a restart', () => {
    const first = feedOf();
    for (let n = 0; n < 1000; n++) first.events.unban(ban, 'expired');
    const second = feedOf(() => start + 5);
    second.events.unban(ban, 'expired');
    const last = first.feed.after(0).at(-1)!.id;
    expect(second.feed.after(last)).toHaveLength(1);
  });

  it('is not flushed of bans by a flood of failures, and is bounded', () => {
    const { feed, events } = feedOf();
    events.ban(ban, 5, false);
    for (let n = 0; n < 20_000; n++) events.found('sshd', `203.0.113.${n % 250}`, 1, start, 'web');
    const held = feed.after(0);
    expect(held[0]!.event).toBe('ban');
    expect(held.length).toBeLessThanOrEqual(1001);
    expect(held.length).toBeGreaterThan(500);
    expect(held.map(({ id }) => id)).toEqual(held.map(({ id }) => id).toSorted((a, b) => a - b));
    expect(held.at(-1)!.id).toBe(start * 1000 + 20_001);
    for (let n = 0; n < 5000; n++) events.neverBanned('sshd', 'x'.repeat(60_000), 'it is no address');
    const text = feed.after(0).reduce((length, { json }) => length + json.length, 0);
    expect(text).toBeLessThan(200_000);
  });
});

describe('EventCounts', () => {
  it('counts in all, and in the last minute', () => {
    let now = start;
    const counts = new EventCounts(() => now);
    const take = (event: string): void => counts.take({ id: 1, event, jail: 'sshd', json: '' });
    for (const event of ['found', 'found', 'ban', 'restore', 'unban', 'ignored']) take(event);
    now += 30_000;
    take('found');
    const total = { banned: 1, restored: 1, unbanned: 1 };
    expect(counts.of('sshd')).toEqual({ ...total, lastMinute: { failures: 3, bans: 1 } });
    now += 35_000;
    expect(counts.of('sshd')).toEqual({ ...total, lastMinute: { failures: 1, bans: 0 } });
    now += 3_600_000;
    expect(counts.of('sshd').lastMinute).toEqual({ failures: 0, bans: 0 });
    now -= 7_200_000;
    take('found');
    expect(counts.of('sshd').lastMinute).toEqual({ failures: 1, bans: 0 });
    expect(counts.of('nginx').banned).toBe(0);
  });
});
