import { ConfigError } from './config-error.ts';
import { longestValue } from './interpolation.ts';

/** As often one tag may come back in one value. */
const mostReplacements = 25;
/** Characters that all replacements together may handle; the largest of fail2ban's own filters takes 200,000. */
const mostWork = 1 << 24;

/**
 * Replaces every `<name>` in `options` by the option of that name, and so on in what that brings (`<mdre-<mode>>`
 * becomes `<mdre-normal>`, then its value). Tags that nothing defines stay: fail2ban's own (`<HOST>`, `<F-USER>`)
 * are such.
 *
 * @param lookUp the value of a name that isn't among `options`
 * @throws ConfigError for an option that contains itself
 */
export function substituteTags(
  options: ReadonlyMap<string, string>,
  lookUp: (name: string) => string | undefined,
): Map<string, string> {
  const result = new Map(options);
  // An option that also has a variant for a condition waits until the condition is known.
  const waiting = new Set([...options.keys()].flatMap((name) => /^(\w+)\?./.exec(name)?.[1] ?? []));
  const work = { done: 0 };
  const counts = new Map<string, Map<string, number>>();
  for (let changed = true; changed;) {
    changed = false;
    for (const [name, value] of result) {
      if (waiting.has(name) || !value.includes('<')) continue;
      const count = counts.get(name) ?? new Map<string, number>();
      counts.set(name, count);
      const replaced = substituteOne(name, value, { count, work }, (key) =>
        waiting.has(key) ? undefined : (result.get(key) ?? lookUp(key)),
      );
      if (replaced === value) continue;
      result.set(name, replaced);
      changed = true;
    }
  }
  return result;
}

function substituteOne(
  option: string,
  original: string,
  { count, work }: { count: Map<string, number>; work: { done: number } },
  find: (name: string) => string | undefined,
): string {
  const tag = /<([^ <>]+)>/g;
  let value = original;
  for (let match = tag.exec(value); match; match = tag.exec(value)) {
    const name = match[1]!;
    const times = count.get(name) ?? 0;
    if (name === option || times > mostReplacements) {
      throw new ConfigError(
        `<${name}> in ${option} refers to itself`,
        `give ${name} a value that does not contain <${name}>; <known/${name}> is its value before`,
      );
    }
    const replacement = find(name);
    if (replacement === undefined) continue;
    count.set(name, times + 1);
    value = value.replaceAll(match[0], () => replacement);
    work.done += value.length;
    if (value.length > longestValue || work.done > mostWork) {
      throw new ConfigError(`<${name}> makes ${option} grow without end`, 'use fewer tags in it');
    }
    tag.lastIndex = match.index;
  }
  return value;
}
