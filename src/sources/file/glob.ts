import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** What one look for files may find, and what it may look at. */
export const globLimits = { files: 1000, entries: 50_000 };

export interface GlobResult {
  readonly files: ReadonlySet<string>;
  /** There may be more: a limit was reached. */
  readonly isCut: boolean;
}

/** `undefined` stands for any number of items; others take one. */
type Part<Item> = ((item: Item) => boolean) | undefined;

/** Whether a path of log files is a pattern. */
export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

/**
 * The files that match an absolute pattern: `*`, `?` and `[…]` within a name, as Python's glob has them for fail2ban, and `**` for any folders.
 * Folders are read entry by entry, and no longer than the limits allow; those that can't be read are passed over.
 */
export async function expandGlob(pattern: string, limits = globLimits): Promise<GlobResult> {
  const segments = pattern.split('/').filter(Boolean);
  const found = { files: new Set<string>(), entries: 0, isCut: false };
  const walk = async (folder: string, index: number): Promise<void> => {
    const segment = segments[index];
    if (segment === undefined || found.isCut) return;
    const isLast = index === segments.length - 1;
    if (segment === '**') await walk(folder, index + 1);
    else if (!isGlob(segment)) {
      const path = join(folder, segment);
      if (!isLast) return walk(path, index + 1);
      if (await exists(path)) take(path);
      return;
    }
    const matches = segment === '**' ? undefined : nameMatcher(segment);
    for await (const entry of entriesOf(folder)) {
      found.entries += 1;
      if (found.entries > limits.entries) found.isCut = true;
      if (found.isCut) return;
      const path = join(folder, entry.name);
      if (!matches) {
        // Not through links: they may lead round in circles.
        if (entry.isDirectory()) await walk(path, index);
        else if (isLast) take(path);
      } else if (matches(entry.name)) {
        if (!isLast) await walk(path, index + 1);
        else if (!entry.isDirectory()) take(path);
      }
    }
  };
  const take = (path: string): void => {
    if (found.files.size >= limits.files && !found.files.has(path)) found.isCut = true;
    else found.files.add(path);
  };
  await walk('/', 0);
  return found;
}

/** Whether a path matches a pattern, in time that is bounded by the product of their lengths. */
export function matchesGlob(path: string, pattern: string): boolean {
  const parts = pattern
    .split('/')
    .filter(Boolean)
    .map((segment): Part<string> => (segment === '**' ? undefined : nameMatcher(segment)));
  return matchesParts(parts, path.split('/').filter(Boolean));
}

/** A name that begins with a dot is matched by a pattern that does. */
function nameMatcher(pattern: string): (name: string) => boolean {
  const parts = [...pattern.matchAll(/\*+|\?|\[!?\]?[^\]]*\]|[^]/gu)].map(([text]): Part<string> => {
    if (text.startsWith('*')) return undefined;
    if (text === '?') return () => true;
    return text.length > 1 && text.startsWith('[') ? charClass(text.slice(1, -1)) : (char) => char === text;
  });
  return (name) =>
    (!name.startsWith('.') || pattern.startsWith('.')) && matchesParts(parts, Array.from(name));
}

function charClass(text: string): (char: string) => boolean {
  const isNegated = text.startsWith('!');
  const ranges = [...(isNegated ? text.slice(1) : text).matchAll(/([^])-([^])|([^])/gu)].map(
    ([, from, to, single]) => [from ?? single!, to ?? single!] as const,
  );
  return (char) => ranges.some(([from, to]) => char >= from && char <= to) !== isNegated;
}

/** Only the last part that stands for any number ever has to take one more. */
function matchesParts<Item>(parts: readonly Part<Item>[], items: readonly Item[]): boolean {
  let part = 0;
  let item = 0;
  let back: { part: number; item: number } | undefined;
  while (item < items.length) {
    const matches = parts[part];
    if (part < parts.length && matches === undefined) {
      back = { part, item };
      part += 1;
    } else if (matches?.(items[item]!)) {
      part += 1;
      item += 1;
    } else if (back) {
      back.item += 1;
      part = back.part + 1;
      item = back.item;
    } else return false;
  }
  return parts.slice(part).every((rest) => rest === undefined);
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function* entriesOf(folder: string) {
  try {
    yield* await opendir(folder);
  } catch {
    // It isn't there, is no folder, or can't be read: the next look may find more.
  }
}
