import { Dock2banError } from '../errors.ts';
import { FilterRegex, idGroups } from './filter-regex.ts';
import type { FilterSpec } from './spec.ts';

/** A filter's expressions, compiled. */
export interface Expressions {
  readonly prefregex: FilterRegex | undefined;
  readonly failregex: readonly FilterRegex[];
  readonly ignoreregex: readonly FilterRegex[];
}

/**
 * @param onExceeded told of each search that was given up for its cost
 * @throws Dock2banError `regex`
 */
export function compileExpressions(
  spec: FilterSpec,
  onExceeded: (expression: string, length: number) => void,
): Expressions {
  const named = (regex: string, expression: string, multiline = false): FilterRegex =>
    new FilterRegex(regex, {
      where: `${expression} of filter ${spec.name}`,
      names: spec.usedns !== 'no',
      multiline,
      foreign: spec.builtIn !== true,
      onExceeded: (length) => onExceeded(expression, length),
    });
  const prefregex = spec.prefregex === undefined ? undefined : named(spec.prefregex, 'prefregex');
  const failregex = spec.failregex.map((text, i) => {
    const regex = named(text, `failregex[${i}]`, spec.maxlines > 1);
    requireId(regex, prefregex, `failregex[${i}] of filter ${spec.name}`);
    return regex;
  });
  return {
    prefregex,
    failregex,
    ignoreregex: spec.ignoreregex.map((text, i) => named(text, `ignoreregex[${i}]`)),
  };
}

function requireId(regex: FilterRegex, prefregex: FilterRegex | undefined, where: string): void {
  if (idGroups.some((name) => regex.groupNames.has(name) || prefregex?.groupNames.has(name))) return;
  throw new Dock2banError('regex', `${where} doesn't say whom to ban`, {
    fix: 'mark the address with <HOST> or <ADDR>, another identifier with <F-ID>…</F-ID>',
  });
}
