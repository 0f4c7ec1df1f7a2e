/** What was added to a list and taken out of it, to be done again to whatever the list becomes. */
export interface ListChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export const noChange: ListChange = { added: [], removed: [] };

/** The list with the change; what was added comes last. */
export function changed(list: readonly string[], { added, removed }: ListChange): readonly string[] {
  const gone = new Set(removed);
  const left = list.filter((entry) => !gone.has(entry));
  return [...left, ...added.filter((entry) => !left.includes(entry))];
}

export function withAdded({ added, removed }: ListChange, entry: string): ListChange {
  return {
    added: added.includes(entry) ? added : [...added, entry],
    removed: removed.filter((other) => other !== entry),
  };
}

export function withRemoved({ added, removed }: ListChange, entry: string): ListChange {
  return {
    added: added.filter((other) => other !== entry),
    removed: removed.includes(entry) ? removed : [...removed, entry],
  };
}
