import { messageOf } from '../errors.ts';
import { compileFilter } from '../filter/filter.ts';
import type { FilterSpec } from '../filter/spec.ts';

/** What of a filter can't be compiled; undefined: all can. */
export function checkFilter(spec: FilterSpec): string | undefined {
  try {
    compileFilter(spec);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
