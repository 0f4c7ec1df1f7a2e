import { describe, expect, it } from 'vitest';
import type { StreamedEvent } from '../../../src/control/controller.ts';
import { why, type WhyParts } from '../../../src/daemon/operator/why.ts';

/** What is told of an address when the log holds these events, and no jail knows of it. */
function eventsOf(ip: string, fields: readonly Readonly<Record<string, unknown>>[]): unknown[] {
  const events = fields.map((each, id) => ({ id, json: JSON.stringify(each) }) as StreamedEvent);
  const parts = {
    registry: { all: new Map(), active: new Map() },
    store: { of: () => [] },
    events: { after: () => events },
    bans: { neverBan: () => undefined },
    clock: () => 0,
  };
  return [...why(ip, parts as unknown as WhyParts).events];
}

const ip = '203.0.113.9';

describe('the events of why', () => {
  it('are the newest 50 of the address, the oldest first', () => {
    const all = Array.from({ length: 200 }, (_, n) => ({
      event: 'found',
      ip: n % 2 ? ip : '203.0.113.99',
      n,
    }));
    const own = all.filter((event) => event.ip === ip);
    expect(eventsOf(ip, all)).toEqual(own.slice(-50));
  });

  it('are not those that only speak of it, however many these are', () => {
    const ban = { event: 'ban', ip };
    const like = Array.from({ length: 60 }, () => ({ event: 'x', text: `"ip":"${ip}"`, about: { ip } }));
    expect(eventsOf(ip, [ban, ...like])).toEqual([ban]);
  });
});
