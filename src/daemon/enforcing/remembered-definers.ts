import * as z from 'zod';
import type { Definer, Definers } from '../../config/labels/jail-definer.ts';
import { isJailOption } from '../../config/options/jail-options.ts';

const entry = z.tuple([
  z.string(),
  z.string(),
  z.array(z.tuple([z.string().refine(isJailOption), z.string(), z.string()])),
]);

/** Who defines which jail, as JSON takes it. */
export function plainDefiners(definers: Definers): readonly z.input<typeof entry>[] {
  return [...definers].map(([jail, { container, labels }]) => [
    jail,
    container,
    [...labels].map(([option, { name, value }]) => [option, name, value]),
  ]);
}

/** Reads that from the text that was remembered, each entry by itself. */
export function readDefiners(note: string): Definers {
  const definers = new Map<string, Definer>();
  for (const each of listIn(note)) {
    const parsed = entry.safeParse(each);
    if (!parsed.success) continue;
    const [jail, container, labels] = parsed.data;
    const options = labels.flatMap(([option, name, value]) =>
      isJailOption(option) ? [[option, { name, value }] as const] : [],
    );
    definers.set(jail, { container, labels: new Map(options) });
  }
  return definers;
}

function listIn(note: string): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(note);
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}
