import { expect, it } from 'vitest';
import { ReadSize } from '../../../src/sources/file/read-size.ts';

/** Sizes from read to read, where so many bytes take a millisecond. */
function sizes(bytesPerMs: number, reads: number, size = new ReadSize()): number[] {
  return Array.from({ length: reads }, () => {
    const { bytes } = size;
    size.took(bytes / bytesPerMs, bytes);
    return bytes;
  });
}

it('reads much at once where lines are dealt with quickly', () => {
  expect(sizes(200_000, 5)).toEqual(Array(5).fill(262_144));
});

it('reads little where they take long, but always something, and more when that is over', () => {
  const slow = new ReadSize();
  expect(sizes(4_000, 3, slow)).toEqual([262_144, 24_000, 24_000]);
  expect(sizes(1, 2, slow).at(-1)).toBe(8_192);
  expect(sizes(200_000, 6, slow)).toEqual([8_192, 16_384, 32_768, 65_536, 131_072, 262_144]);
});

it('learns nothing from a few lines', () => {
  const size = new ReadSize();
  size.took(100, 60);
  expect(size.bytes).toBe(262_144);
});
