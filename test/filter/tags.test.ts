import { describe, expect, it } from 'vitest';
import { resolveTags } from '../../src/filter/tags.ts';

describe('fail2ban’s tags', () => {
  it.each([
    ['<F-USER>\\S+</F-USER>', '(?P<user>\\S+)'],
    ['<F-ID>x</F-ID>', '(?P<fid>x)'],
    ['<F-PORT/>', '(?P<fport>\\w+)'],
    ['</F-USER>', '</F-USER>'],
    ['<F-ALT_USER_1>a</F-ALT_USER_1>', '(?P<alt_user_1>a)'],
    ['a<SKIPLINES>b<SKIPLINES>', 'a\\n(?P<skiplines0>(?:(?:.*\\n)*?))b\\n(?P<skiplines1>(?:(?:.*\\n)*?))'],
    ['<unknown> <HOSTS> (?P<x>a)', '<unknown> <HOSTS> (?P<x>a)'],
  ])('%s stands for an expression', (regex, source) => {
    expect(resolveTags(regex, true).source).toBe(source);
  });

  it('let HOST be a name only where names are resolved', () => {
    expect(resolveTags('<HOST>', true).source).toContain('(?P<dns>');
    expect(resolveTags('<HOST>', false).source).not.toContain('(?P<dns>');
  });

  it('keep track of where things came from', () => {
    const { source, origin } = resolveTags('ab<HOST>cd<F-USER>e</F-USER>f', true);
    for (const [text, at] of [
      ['ab', 0],
      ['cd', 8],
      ['(?P<user>', 10],
      ['e)f', 18],
      ['f', 28],
    ] as const)
      expect(origin(source.lastIndexOf(text))).toBe(at);
  });
});
