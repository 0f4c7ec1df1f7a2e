import type { JailOption } from '../options/jail-options.ts';
import { type ListChange, noChange } from './list-change.ts';

/** What an operator has changed in a running jail: the uppermost layer of its options, whatever labels and files say. */
export interface JailEdits {
  /** Texts, found good. */
  readonly set: ReadonlyMap<JailOption, string>;
  readonly ignoreip: ListChange;
  readonly failregex: ListChange;
  readonly ignoreregex: ListChange;
}

export const noEdits: JailEdits = {
  set: new Map(),
  ignoreip: noChange,
  failregex: noChange,
  ignoreregex: noChange,
};

/** Whether other expressions match than before. */
export function changesExpressions({ set, failregex, ignoreregex }: JailEdits): boolean {
  const isChanged = ({ added, removed }: ListChange): boolean => added.length + removed.length > 0;
  return isChanged(failregex) || isChanged(ignoreregex) || set.has('prefregex') || set.has('datepattern');
}
