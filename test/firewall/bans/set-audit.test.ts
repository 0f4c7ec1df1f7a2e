import { describe, expect, it } from 'vitest';
import { SetAudit } from '../../../src/firewall/bans/set-audit.ts';

describe('SetAudit', () => {
  it('gives each set its turn, again and again', () => {
    const audit = new SetAudit();
    expect(audit.next(['a', 'b', 'c'], () => 10, -5000)).toBeUndefined();
    const chosen = Array.from({ length: 7 }, (_, i) => audit.next(['a', 'b', 'c'], () => 10, i * 5000));
    expect(chosen).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a']);
  });

  it('forgets nobody when sets come and go', () => {
    const audit = new SetAudit();
    const size = (): number => 1;
    expect(audit.next(['a', 'b'], size, -5000)).toBeUndefined();
    expect(audit.next(['a', 'b'], size, 0)).toBe('a');
    expect(audit.next(['c', 'a', 'b'], size, 5000)).toBe('c');
    expect(audit.next(['c', 'b'], size, 10_000)).toBe('b');
    expect(audit.next([], size, 15_000)).toBeUndefined();
    expect(audit.next(['c'], size, 20_000)).toBe('c');
  });

  it('rests after a large set: reading it every five seconds would cost too much', () => {
    const audit = new SetAudit();
    const size = (set: string): number => (set === 'large' ? 100_000 : 1);
    // At the start, all of it has just been read or written.
    expect(audit.next(['large', 'small'], size, -31_000)).toBeUndefined();
    expect(audit.next(['large', 'small'], size, 0)).toBe('large');
    expect(audit.next(['large', 'small'], size, 29_000)).toBeUndefined();
    expect(audit.next(['large', 'small'], size, 31_000)).toBe('small');
  });
});
