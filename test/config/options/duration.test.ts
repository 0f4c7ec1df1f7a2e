import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/conf/config-error.ts';
import { parseDuration } from '../../../src/config/options/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['600', 600],
    ['10m', 600],
    ['1d12h30m', 131_400],
    ['1y 6mo', 47_336_400],
    ['1h-30m', 1800],
    ['2 hours 5 sec', 7205],
    ['1W', 604_800],
    ['1mon', 2_629_800],
    ['-1', -1],
    ['1.5h', 5400],
    ['43200  # 12 hours', 43_200],
    ['3600  # 1 hour', 3600],
    ['-1 # permanent', -1],
  ])('%s', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(['', 'many', '1x', '1/0', '10m;', '__import__("os")', '9'.repeat(400), '('.repeat(500)])(
    'refuses %j',
    (text) => {
      expect(() => parseDuration(text)).toThrow(/^invalid duration /);
    },
  );

  it('ends with a number or a ConfigError, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('1', 'd', 'h', ' ', '(', '*', '-', '.') })),
        (text) => {
          try {
            return Number.isFinite(parseDuration(text));
          } catch (error) {
            return error instanceof ConfigError;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
