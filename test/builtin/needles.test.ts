import { describe, expect, it } from 'vitest';
import { compileFilter } from '../../src/filter/filter.ts';
import { builtinFilter, filterNames, modesOf } from './builtin-filters.ts';

const none = Buffer.alloc(0);

describe('a built-in filter passes over most lines by a search for what each of its expressions requires', () => {
  it.each(filterNames.flatMap((name) => modesOf(name).map((mode) => ({ name, mode }))))(
    '$name in mode $mode',
    ({ name, mode }) => {
      const filter = compileFilter(builtinFilter(name, new Map([['mode', mode]])));
      expect(filter.needles(none)?.length).toBeGreaterThan(0);
    },
  );
});
