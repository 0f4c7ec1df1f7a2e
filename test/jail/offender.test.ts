import { describe, expect, it } from 'vitest';
import { offenderOf } from '../../src/jail/offender.ts';

const nothing = (): boolean => false;

describe('offenderOf', () => {
  it.each([
    ['2001:db8:1:2:3:4:5:6', 64, '2001:db8:1:2::/64'],
    ['2001:db8:1:2:3:4:5:6', 56, '2001:db8:1::/56'],
    ['2001:db8:1:2:3:4:5:6', 128, '2001:db8:1:2:3:4:5:6'],
    ['203.0.113.7', 64, '203.0.113.7'],
    ['203.0.113.7', 32, '203.0.113.7'],
    // All of IPv4 is in one of these /64s; many clients in the other ones.
    ['64:ff9b::c633:6442', 64, '64:ff9b::c633:6442'],
    ['64:ff9b:1::c633:6442', 64, '64:ff9b:1::c633:6442'],
    ['::ffff:0:c633:6442', 64, '::ffff:0:c633:6442'],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 64, '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ])('%s by /%i: %s', (address, bits, expected) => {
    expect(offenderOf(address, bits, nothing)).toBe(expected);
  });

  it('leaves a prefix alone in which somebody must not be banned', () => {
    expect(offenderOf('2001:db8:1:2::9', 64, (prefix) => prefix === '2001:db8:1:2::/64')).toBe(
      '2001:db8:1:2::9',
    );
  });
});
