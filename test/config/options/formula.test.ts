import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defaultFormula,
  grownBanTime,
  parseBanFormula,
  parseFactor,
  parseMultipliers,
} from '../../../src/config/options/bantime-increment.ts';
import { ConfigError } from '../../../src/config/conf/config-error.ts';
import { evaluateFormula, parseFormula } from '../../../src/config/options/formula.ts';

const value = (text: string) => evaluateFormula(parseFormula(text, ['x']), { x: 3 });

describe('formula', () => {
  it.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['-2**2', -4],
    ['2**-1', 0.5],
    ['2**3**2', 512],
    ['-7 // 2', -4],
    ['-7 % 3', 2],
    ['1 << 40', 2 ** 40],
    ['1 if x < 3 else 2 if x == 3 else 4', 2],
    ['not x or 5', 5],
    ['x and 0', 0],
    ['min(4, x, 9) + max(1, 2) + int(2.9) + math.sqrt(16)', 11],
  ])('%s = %d', (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  it.each([
    ['1 +', /found the end at position 4 .*/],
    ['1 2', /found "2" at position 3/],
    ['y', /unknown word "y" at position 1/],
    ['eval(1)', /unknown function eval at position 1/],
    ['x.__class__', /unknown word "x.__class__"/],
    ['[1]', /unexpected "\[" at position 1/],
    ['min(1)', /min with 1 arguments/],
    ['lambda: 1', /unexpected ":" at position 7/],
    ['1'.repeat(2000), /expression of 2000 characters/],
    ['('.repeat(400), /nested too deep/],
    ['-'.repeat(900) + '1', /nested too deep/],
  ])('refuses %j', (text, message) => {
    expect(() => value(text)).toThrow(message);
  });

  it('ends with a number or a ConfigError, whatever it is given', () => {
    const piece = fc.constantFrom(
      '1',
      'x',
      '(',
      ')',
      '+',
      '-',
      '**',
      'if',
      'else',
      ' ',
      'not',
      'min(',
      ',',
      '<',
      '<<',
      'and',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            return typeof value(text) === 'number';
          } catch (error) {
            return error instanceof ConfigError;
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('grownBanTime', () => {
  const doubling = {
    formula: parseBanFormula(defaultFormula),
    multipliers: [],
    factor: 1,
    maxtime: undefined,
    rndtime: 0,
    overalljails: false,
  };

  it('doubles with every ban, up to the twentieth', () => {
    expect([0, 1, 2, 3, 20, 30].map((count) => grownBanTime(doubling, 600, count, 0))).toEqual([
      600,
      1200,
      2400,
      4800,
      600 * 2 ** 20,
      600 * 2 ** 20,
    ]);
  });

  it('takes the multiplier of the ban, the last one for all later ones', () => {
    const increment = { ...doubling, multipliers: parseMultipliers('1 5 30'), factor: parseFactor('4 / 2') };
    expect([1, 2, 3, 9].map((count) => grownBanTime(increment, 60, count, 0))).toEqual([
      600, 3600, 3600, 3600,
    ]);
  });

  it('holds maxtime, and adds the random part above it, as fail2ban does', () => {
    expect(grownBanTime({ ...doubling, maxtime: 1000, rndtime: 100 }, 600, 5, 0.5)).toBe(1050);
  });

  it('never shortens a ban and leaves a permanent one alone', () => {
    expect(grownBanTime({ ...doubling, formula: parseBanFormula('1') }, 600, 5, 0)).toBe(600);
    expect(grownBanTime(doubling, -1, 5, 0)).toBe(-1);
  });

  it.each(['ban.Time / 0', 'ban.Count * time'])('refuses the formula %s', (text) => {
    expect(() => parseBanFormula(text)).toThrow(ConfigError);
  });
});
