import * as z from 'zod';

/** A list of which each entry is judged by itself: what can't be read is left out. */
export function salvaged<Entry>(entry: z.ZodType<Entry>) {
  return z.array(z.unknown()).transform((all) => all.flatMap((each): Entry[] => read(entry, each)));
}

/** The entries that can be read of a list that was remembered as text. */
export function entriesOf<Entry>(entry: z.ZodType<Entry>, text: string): readonly Entry[] {
  try {
    return salvaged(entry).parse(JSON.parse(text));
  } catch {
    return [];
  }
}

function read<Entry>(entry: z.ZodType<Entry>, value: unknown): Entry[] {
  const { success, data } = entry.safeParse(value);
  return success ? [data] : [];
}
