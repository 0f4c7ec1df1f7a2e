import type { JournalEntry } from './entry.ts';

/**
 * Groups of `FIELD=value`. An entry meets them if it meets a whole group: each field of the group with any of the values that the
 * group gives for it, as journalctl has it. No groups: every entry does.
 */
export type JournalMatches = readonly (readonly string[])[];

const match = /^([A-Z0-9_]{1,64})=([^\0]*)$/s;

/**
 * journalctl's arguments for the entries that meet any of several matches. Undefined: none can (what isn't of the form
 * `FIELD=value` is met by nothing).
 */
export function matchArguments(all: readonly JournalMatches[]): string[] | undefined {
  if (all.some((matches) => matches.length === 0)) return [];
  const groups = new Map(
    all
      .flat()
      .filter(isUsable)
      .map((group) => [group.join('\n'), group]),
  );
  if (groups.size === 0) return undefined;
  return [...groups.values()].flatMap((group, index) => (index === 0 ? group : ['+', ...group]));
}

/** The fields that tell whether an entry meets matches. */
export function matchFields(all: readonly JournalMatches[]): string[] {
  return [...new Set(all.flat(2).flatMap((text) => match.exec(text)?.[1] ?? []))];
}

function isUsable(group: readonly string[]): boolean {
  return group.length > 0 && group.every((text) => match.test(text));
}

/** Finds what is registered for the matches that an entry meets; with one match a group it takes one look a field. */
export class MatchIndex<Value> {
  readonly #always = new Set<Value>();
  /** Of groups with one match: field → value → registered. */
  readonly #single = new Map<string, Map<string, Value[]>>();
  readonly #groups: { readonly fields: ReadonlyMap<string, ReadonlySet<string>>; readonly value: Value }[] =
    [];

  /** Registers a value for matches. */
  add(matches: JournalMatches, value: Value): void {
    if (matches.length === 0) this.#always.add(value);
    for (const group of matches) if (isUsable(group)) this.#addGroup(group, value);
  }

  /** Each value once. */
  find({ fields }: JournalEntry): Set<Value> {
    const found = new Set(this.#always);
    for (const [field, byValue] of this.#single) {
      for (const value of fields.get(field) ?? []) {
        for (const registered of byValue.get(value) ?? []) found.add(registered);
      }
    }
    for (const group of this.#groups) {
      const isMet = [...group.fields].every(([field, values]) =>
        fields.get(field)?.some((value) => values.has(value)),
      );
      if (isMet) found.add(group.value);
    }
    return found;
  }

  #addGroup(group: readonly string[], value: Value): void {
    const fields = new Map<string, Set<string>>();
    for (const text of group) {
      const [, field = '', wanted = ''] = match.exec(text) ?? [];
      fields.set(field, (fields.get(field) ?? new Set()).add(wanted));
    }
    if (group.length > 1) {
      this.#groups.push({ fields, value });
      return;
    }
    for (const [field, [wanted = '']] of fields) {
      const byValue = this.#single.get(field) ?? new Map<string, Value[]>();
      this.#single.set(field, byValue.set(wanted, [...(byValue.get(wanted) ?? []), value]));
    }
  }
}
