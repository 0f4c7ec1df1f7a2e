import { oneLine } from '../text/plain-text.ts';

/** Lines of aligned columns. Numbers go to the right. What others wrote is made plain text. */
export function table(rows: readonly (readonly (string | number)[])[]): string[] {
  const texts = rows.map((row) => row.map((cell) => oneLine(String(cell))));
  const widths = (texts[0] ?? []).map((_, column) =>
    Math.max(...texts.map((row) => row[column]?.length ?? 0)),
  );
  return texts.map((row, index) =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0;
        // A heading stands over numbers as they stand.
        const isNumber = typeof (rows[index === 0 ? 1 : index] ?? rows[index]!)[column] === 'number';
        return isNumber ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** `1d 2h`, `3h 4m`, `5m 6s`, `7s`. @param seconds not negative */
export function duration(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, length]) => seconds >= length);
  if (first < 0) return '0s';
  let rest = Math.floor(seconds);
  const parts = units.slice(first, first + 2).flatMap(([unit, length]) => {
    const n = Math.floor(rest / length);
    rest -= n * length;
    return n > 0 ? [`${n}${unit}`] : [];
  });
  return parts.join(' ');
}

/** `512 B`, `1.5 KiB`, `82.0 MiB`. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kibibytes = bytes / 1024;
  return kibibytes < 1024 ? `${kibibytes.toFixed(1)} KiB` : `${(kibibytes / 1024).toFixed(1)} MiB`;
}
