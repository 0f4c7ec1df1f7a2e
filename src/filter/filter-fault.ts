import { createHash } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { compileFilter } from './filter.ts';
import type { FilterSpec } from './spec.ts';

/** What of a filter can't be compiled; undefined: all can. */
export function checkFilter(spec: FilterSpec): string | undefined {
  try {
    compileFilter(spec);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Filters whose answer is remembered. */
const mostRemembered = 2000;

/** `checkFilter`, which compiles a filter once however often it is asked for it. */
export function rememberingCheck(): typeof checkFilter {
  const answers = new Map<string, string | undefined>();
  return (spec) => {
    const key = createHash('sha256').update(JSON.stringify(spec)).digest('base64');
    const answer = answers.has(key) ? answers.get(key) : checkFilter(spec);
    // What is in use stays.
    answers.delete(key);
    answers.set(key, answer);
    if (answers.size > mostRemembered) answers.delete(answers.keys().next().value!);
    return answer;
  };
}
