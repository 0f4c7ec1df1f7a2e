import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemsSet, restricted } from '../../src/filter/python-regex/char-set.ts';
import type { SetItem } from '../../src/filter/python-regex/syntax.ts';

const odd = [0x130, 0x131, 0x17f, 0x212a, 0xb5, 0xe9, 0x20ac];
const code = fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.constantFrom(...odd));
const item: fc.Arbitrary<SetItem> = fc.oneof(
  code.map((at) => ({ kind: 'range' as const, from: at, to: at })),
  fc
    .tuple(code, code)
    .map(([a, b]) => ({ kind: 'range' as const, from: Math.min(a, b), to: Math.max(a, b) })),
  fc.record({
    kind: fc.constant('class' as const),
    class: fc.constantFrom('digit', 'space', 'word'),
    negated: fc.boolean(),
    ascii: fc.boolean(),
  }),
);

describe('the ASCII characters of a set', () => {
  it('are those of the whole set', () => {
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 4 }),
        fc.constantFrom('none', 'ascii', 'unicode'),
        (items, fold) => {
          const whole = restricted(itemsSet(items, fold, 'unicode'), 'ascii');
          expect(itemsSet(items, fold, 'ascii')).toEqual(whole);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
