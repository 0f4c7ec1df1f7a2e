import { describe, expect, it } from 'vitest';
import { resolveJails } from '../../src/config/resolve.ts';
import { container } from '../config/container.ts';
import { treeOf } from '../config/tree.ts';
import { builtinTree, filterNames, jailNames, resolveLabels } from './builtin-filters.ts';

describe.each(jailNames)('built-in jail %s', (name) => {
  it.each([undefined, 'aggressive'])('can be used with no other label than mode %s', (mode) => {
    const { jails, problems } = resolveLabels({
      'fail2ban.jail': name,
      ...(mode !== undefined && { 'fail2ban.mode': mode }),
    });
    expect(problems).toEqual([]);
    expect(jails).toHaveLength(1);
    const { filter, containers, findtime, bantime } = jails[0]!;
    const times = name === 'recidive' ? [86_400, 604_800] : [600, 600];
    expect([containers, findtime, bantime]).toEqual([['web'], ...times]);
    for (const regex of [...filter.failregex, ...filter.ignoreregex]) {
      // Nothing is left to be filled in but what fail2ban itself defines.
      expect(regex.match(/<[a-z_]+>|%\(/g)).toBeNull();
    }
  });
});

it('no jail runs unless a container names it', () => {
  expect(resolveLabels({}).jails).toEqual([]);
});

it('every filter has a jail', () => {
  const used = jailNames.map((name) => resolveLabels({ 'fail2ban.jail': name }).jails[0]!.filter.name);
  expect([...new Set(used)].toSorted()).toEqual(filterNames);
});

describe('a user’s own files stand above', () => {
  const compileFilter = () => undefined;
  /** As a stock tree has them: jails by the names of ours, each with a filter of its name. */
  const user = {
    'jail.conf': [
      '[DEFAULT]\nmaxretry = 4\nfindtime = 7m\nbantime = 8m\nmode = normal\nfilter = %(__name__)s[mode=%(mode)s]\n',
      ...jailNames.map((name) => `[${name}]\nenabled = true\nport = ssh\nlogpath = /var/log/${name}.log\n`),
    ].join('\n'),
    ...Object.fromEntries(
      jailNames.map((name) => [
        `filter.d/${name}.conf`,
        `[INCLUDES]\nbefore = common.conf\n[Definition]\nfailregex = ^%(__prefix)s${name} <mode> <HOST>$\n[Init]\nmode = other\n`,
      ]),
    ),
    'filter.d/common.conf': '[DEFAULT]\n__prefix = mine:\n',
  };

  it('with jails and filters of the same names, ours change nothing', () => {
    const alone = treeOf(user);
    const resolved = (tree: typeof alone) => resolveJails({ tree, containers: [], compileFilter });
    const { jails } = resolved(alone);
    expect(jails.map(({ name }) => name).toSorted()).toEqual(jailNames);
    const beside = resolved({ ...alone, builtin: builtinTree.builtin });
    const byName = (list: typeof jails) => new Map(list.map((jail) => [jail.name, jail]));
    expect(byName(beside.jails)).toEqual(byName(jails));
    expect(beside.problems).toEqual([]);
  });

  it('recidive’s times are not those of [DEFAULT], but what its own section says', () => {
    const recidive = (section: string) => {
      const text = `[DEFAULT]\nbantime = 8m\nfindtime = 7m\nmaxretry = 3\nport = ssh\n[recidive]\nenabled = true\n${section}`;
      const tree = { ...treeOf({ 'jail.local': text }), builtin: builtinTree.builtin };
      const { jails, problems } = resolveJails({ tree, containers: [], compileFilter });
      expect(problems).toEqual([]);
      return jails[0];
    };
    const bans = { kind: 'bans', container: undefined };
    const times = { findtime: 86_400, bantime: 604_800, maxretry: 3 };
    expect(recidive('')).toMatchObject({ ...times, closes: 'all', sources: [bans] });
    expect(recidive('bantime = 2w')).toMatchObject({ findtime: 86_400, bantime: 2 * 604_800 });
    // As fail2ban's own jail.conf has it.
    expect(
      recidive('logpath = /var/log/fail2ban.log\nbanaction = iptables-allports\nbantime = 1w\nfindtime = 1d'),
    ).toMatchObject({
      ...times,
      closes: 'all',
      sources: [{ kind: 'file', pattern: '/var/log/fail2ban.log' }, bans],
    });
  });

  it('a container’s label takes the user’s filter', () => {
    const tree = {
      ...treeOf({ 'filter.d/sshd.conf': '[Definition]\nfailregex = ^mine <HOST>$\n' }),
      builtin: builtinTree.builtin,
    };
    const { jails } = resolveJails({
      tree,
      containers: [container('ssh', { 'fail2ban.jail': 'sshd' })],
      compileFilter,
    });
    expect(jails.map(({ filter }) => filter.failregex)).toEqual([['^mine <HOST>$']]);
  });

  it('a .local adds to ours', () => {
    const tree = {
      ...treeOf({
        'filter.d/nginx-proxy.local': '[Init]\ncodes_normal = 404|418\n',
        'jail.local': '[DEFAULT]\nmaxretry = 9\n',
      }),
      builtin: builtinTree.builtin,
    };
    const labels = (jail: string) => container(jail, { 'fail2ban.jail': jail });
    const { jails } = resolveJails({
      tree,
      containers: ['nginx-proxy', 'nginx-botsearch'].map(labels),
      compileFilter,
    });
    const [proxy, bots] = ['nginx-proxy', 'nginx-botsearch'].map((name) =>
      jails.find((jail) => jail.name === name)!,
    );
    expect(proxy!.filter.failregex[0]).toContain('(?:404|418)');
    expect([proxy!.maxretry, bots!.maxretry]).toEqual([9, 9]);
  });
});
