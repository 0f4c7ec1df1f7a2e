import type { Dialect } from '../tool/tool-session.ts';

/** A word that is no command; nft repeats the line that it can't read, without looking at the kernel first. */
const token = (number: number): string => `dock2ban_end_${number}`;

/**
 * A long-lived `nft -i`: a third of a millisecond for a few elements, where a process costs 4 ms and more. It reads its input byte by byte, and
 * since what it wrote made its view of the kernel old, it reads all tables, chains, sets (without elements) and objects before each command:
 * with the sets of 20 jails that alone takes libnftables 1.0.6 0.12 ms of the 0.17 ms that it needs at least. Long lines take it longer than a process
 * (50 µs an element), so it is for small batches.
 */
export const nftDialect: Dialect = {
  command: 'nft',
  args: ['-i'],

  // Commands of one line are one transaction.
  batch: (lines, number) => `${lines.join('; ')}\n${token(number)}\n`,

  answer(said, number) {
    const lines = said.split('\n');
    const end = lines.indexOf(token(number));
    // Behind it comes a line that points at the place.
    if (end < 0 || end === lines.length - 1) return undefined;
    // Before it stands why it can't be read, and perhaps what still points at the token of an earlier batch.
    return lines
      .slice(0, Math.max(0, end - 1))
      .filter((line) => !/^\s*\^*$/.test(line))
      .join('\n');
  },
};
