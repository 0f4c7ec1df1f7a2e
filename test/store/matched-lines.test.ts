import fc from 'fast-check';
import { expect, it } from 'vitest';
import { capLines, matchLimits } from '../../src/jail/matched-lines.ts';
import { decodeLines, encodeLines } from '../../src/store/matched-lines.ts';

it('keeps the newest ten lines, oldest first', () => {
  const lines = Array.from({ length: 25 }, (_, index) => `line ${index}`);
  expect(capLines(lines)).toEqual(lines.slice(15));
  expect(capLines(['', 'a', ''])).toEqual(['', 'a', '']);
});

it('cuts long lines, never within a character', () => {
  const [line] = capLines([`${'a'.repeat(1023)}😀b`]);
  expect(line).toBe('a'.repeat(1023));
});

it('bounds every input, and gives back what it stored', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 3000 }), { maxLength: 30 }), (lines) => {
      const kept = capLines(lines);
      expect(kept.length).toBeLessThanOrEqual(matchLimits.lines);
      expect(kept.join('').length).toBeLessThanOrEqual(matchLimits.totalLength);
      if (lines.length > 0) expect(lines.at(-1)!.startsWith(kept.at(-1) ?? '')).toBe(true);
      expect(decodeLines(encodeLines(lines))).toEqual(kept);
    }),
  );
});

it.each(['', 'null', '{}', '[1, {"a": 2}]', '["a"', '"a"'])('reads no lines out of %s', (text) => {
  expect(decodeLines(text)).toEqual([]);
});
