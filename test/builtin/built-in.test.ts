import { describe, expect, it } from 'vitest';
import { resolveJails } from '../../src/config/resolve.ts';
import type { JailSpec } from '../../src/config/jail-spec.ts';
import { type JailEdits, noEdits } from '../../src/config/jails/jail-edits.ts';
import { noChange, withAdded } from '../../src/config/jails/list-change.ts';
import { container } from '../config/container.ts';
import { treeOf } from '../config/tree.ts';
import { builtinTree, jailNames } from './builtin-filters.ts';

const jailsOf = (
  user: Record<string, string>,
  labels: Record<string, string>,
  edits: ReadonlyMap<string, JailEdits> = new Map(),
): readonly JailSpec[] =>
  resolveJails({
    tree: { ...treeOf(user), builtin: builtinTree.builtin },
    containers: [container('web', labels)],
    compileFilter: () => undefined,
    edits,
  }).jails;

const isBuiltIn = (user: Record<string, string>, labels: Record<string, string>): boolean | undefined =>
  jailsOf(user, labels)[0]!.filter.builtIn;

describe('a filter is known to be built in', () => {
  it.each(jailNames)('%s, in each mode', (name) => {
    for (const mode of ['normal', 'aggressive'])
      expect(isBuiltIn({}, { 'fail2ban.jail': name, 'fail2ban.mode': mode })).toBe(true);
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['in a jail of another name', {}, { 'fail2ban.filter': 'nginx-proxy' }],
    ['in a jail of a file', { 'jail.local': '[web]\nfilter = nginx-proxy[mode=aggressive]\n' }, {}],
    [
      'whatever its jail’s other options',
      { 'jail.local': '[DEFAULT]\nmaxretry = 3\nusedns = no\n' },
      { 'fail2ban.filter': 'nginx-proxy', 'fail2ban.bantime': '1w' },
    ],
  ])('%s', (_, user, labels) => {
    expect(isBuiltIn(user, { 'fail2ban.jail': 'web', ...labels })).toBe(true);
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['a label’s failregex', {}, { 'fail2ban.failregex': '^bad <HOST>$' }],
    ['a label’s ignoreregex', {}, { 'fail2ban.ignoreregex': '^good' }],
    ['a label’s datepattern', {}, { 'fail2ban.datepattern': '^%Y' }],
    ['a label’s prefregex', {}, { 'fail2ban.prefregex': '^(?P<content>.*)$' }],
    ['a label’s maxlines', {}, { 'fail2ban.maxlines': '5' }],
    ['a label’s mode that is none', {}, { 'fail2ban.filter': 'nginx-proxy[mode="(a+)+"]' }],
    ['a label’s argument', {}, { 'fail2ban.filter': 'nginx-proxy[failregex="^<HOST>"]' }],
    ['an ignoreregex of [DEFAULT]', { 'jail.local': '[DEFAULT]\nignoreregex = ^good\n' }, {}],
    ['an argument of a file', { 'jail.local': '[nginx-proxy]\nfilter = nginx-proxy[__prefix=".*"]\n' }, {}],
    ['a .local', { 'filter.d/nginx-proxy.local': '[Definition]\nignoreregex = ^good\n' }, {}],
    ['an include of the user’s', { 'filter.d/dock2ban-prefix.local': '[DEFAULT]\n__prefix = .*\n' }, {}],
    ['a filter of the same name', { 'filter.d/nginx-proxy.conf': '[Definition]\nfailregex = ^<HOST>\n' }, {}],
  ])('not with %s', (_, user, labels) => {
    expect(isBuiltIn(user, { 'fail2ban.jail': 'nginx-proxy', ...labels })).toBeUndefined();
  });

  it('not when it is edited by hand', () => {
    const edits = { ...noEdits, failregex: withAdded(noChange, '^bad <HOST>$') };
    const edited = jailsOf({}, { 'fail2ban.jail': 'nginx-proxy' }, new Map([['nginx-proxy', edits]]));
    expect(edited[0]!.filter).toMatchObject({ origin: { where: 'what was changed by hand' } });
    expect(edited[0]!.filter.builtIn).toBeUndefined();
  });
});
