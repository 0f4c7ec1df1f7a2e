import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileAt, layers } from '../../../src/config/conf/config-tree.ts';
import { expandIncludes } from '../../../src/config/conf/includes.ts';
import { loadConfigTree } from '../../../src/config/conf/load-config-tree.ts';
import { treeOf } from '../tree.ts';

const order = (tree: ReturnType<typeof treeOf>, ...paths: string[]) =>
  expandIncludes(tree, paths).files.map(({ file }) => file.replace('/etc/fail2ban/', ''));

describe('layers', () => {
  it('is .conf, .d/*.conf, .local, .d/*.local', () => {
    const paths = [
      'jail.local',
      'jail.d/b.conf',
      'jail.d/a.local',
      'jail.conf',
      'jail.d/a.conf',
      'jail.d/x/no.conf',
      'jail.d/.no.conf',
      'other.conf',
    ];
    expect(layers(paths, 'jail')).toEqual([
      'jail.conf',
      'jail.d/a.conf',
      'jail.d/b.conf',
      'jail.local',
      'jail.d/a.local',
    ]);
  });
});

describe('expandIncludes', () => {
  it('reads before, the file, after; each followed by its .local; recursively', () => {
    const tree = treeOf({
      'filter.d/a.conf': '[INCLUDES]\nbefore = b.conf\n  c.conf\nafter = d.conf\n',
      'filter.d/a.local': '',
      'filter.d/b.conf': '[INCLUDES]\nbefore = sub/../c.conf\n',
      'filter.d/b.local': '',
      'filter.d/c.conf': '',
      'filter.d/d.conf': '[INCLUDES]\nafter = d.local\n',
      'filter.d/d.local': '',
    });
    expect(order(tree, 'filter.d/a.conf')).toEqual(
      ['c.conf', 'b.conf', 'b.local', 'c.conf', 'a.conf', 'd.conf', 'd.local', 'd.local', 'a.local'].map(
        (name) => `filter.d/${name}`,
      ),
    );
  });

  it('takes absolute paths and those that leave the directory', () => {
    const tree = treeOf({
      'jail.conf': '[INCLUDES]\nbefore = /etc/fail2ban/own.conf\n  ../other/x.conf\n',
      'own.conf': '',
      '/etc/other/x.conf': '',
    });
    expect(expandIncludes(tree, ['jail.conf']).files.map(({ file }) => file)).toEqual([
      '/etc/fail2ban/own.conf',
      '/etc/fail2ban//etc/other/x.conf',
      '/etc/fail2ban/jail.conf',
    ]);
  });

  it('names an include that leads in a circle, and reads the rest', () => {
    const tree = treeOf({
      'a.conf': '[INCLUDES]\n\nbefore = b.conf\n',
      'b.conf': '[INCLUDES]\nafter = a.conf\n',
    });
    const { files, problems } = expandIncludes(tree, ['a.conf']);
    expect(files.map(({ file }) => file)).toEqual(['/etc/fail2ban/b.conf', '/etc/fail2ban/a.conf']);
    expect(problems).toMatchObject([
      {
        where: '/etc/fail2ban/b.conf:2',
        message: 'including a.conf leads in a circle: a.conf → b.conf → a.conf',
      },
    ]);
  });

  it('ends where a .local includes its own .conf', () => {
    const tree = treeOf({ 'a.conf': '', 'a.local': '[INCLUDES]\nbefore = a.conf\n' });
    expect(order(tree, 'a.conf')).toEqual(['a.conf', 'a.conf', 'a.local']);
  });

  it('names a missing file, unless it is a .local', () => {
    const { problems } = expandIncludes(
      treeOf({ 'a.conf': '[INCLUDES]\nbefore = no.conf\nafter = no.local\n' }),
      ['a.conf'],
    );
    expect(problems.map(({ where, message }) => [where, message])).toEqual([
      ['/etc/fail2ban/a.conf:2', 'includes no.conf, which does not exist'],
    ]);
  });
});

describe('loadConfigTree', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'dock2ban-tree-'));
    for (const directory of ['etc/filter.d', 'etc/jail.d', 'builtin/filter.d', 'outside'])
      await mkdir(join(root, directory), { recursive: true });
  });
  afterEach(() => rm(root, { recursive: true, force: true }));
  const load = () => loadConfigTree({ builtinDir: join(root, 'builtin'), configDir: join(root, 'etc') });

  it('reads both layers and what is included from outside; the user hides what is built in', async () => {
    await writeFile(join(root, 'builtin/filter.d/x.conf'), '[Definition]\nfailregex = builtin\n');
    await writeFile(join(root, 'builtin/filter.d/y.conf'), '[Definition]\nfailregex = builtin\n');
    await writeFile(join(root, 'etc/filter.d/x.conf'), '[INCLUDES]\nbefore = ../../outside/z.conf\n');
    await writeFile(join(root, 'outside/z.conf'), '[INCLUDES]\nbefore = z2.conf\n');
    await writeFile(join(root, 'outside/z2.conf'), '[DEFAULT]\nz = 2\n');
    const tree = await load();
    expect(tree.problems).toEqual([]);
    expect(
      expandIncludes(tree, ['filter.d/x.conf']).files.map(({ file }) => file.slice(root.length)),
    ).toEqual(['/outside/z2.conf', '/outside/z.conf', '/etc/filter.d/x.conf']);
    expect(fileAt(tree, 'filter.d/y.conf')?.file).toBe(join(root, 'builtin/filter.d/y.conf'));
  });

  it('is empty where there is no directory', async () => {
    const tree = await loadConfigTree({ builtinDir: join(root, 'no'), configDir: join(root, 'nor') });
    expect([tree.user.size, tree.builtin.size, tree.problems]).toEqual([0, 0, []]);
  });

  it('names what it can not read, and reads the rest', async () => {
    await writeFile(join(root, 'etc/jail.conf'), Buffer.from([0x5b, 0xff, 0xfe]));
    await mkdir(join(root, 'etc/jail.local'));
    await writeFile(join(root, 'etc/jail.d/ok.conf'), '[x]\n');
    const tree = await load();
    expect([...tree.user.keys()]).toEqual(['jail.d/ok.conf']);
    expect(
      tree.problems.map(({ where, message }) => [where.slice(root.length), message.replace(/:.*/, '')]),
    ).toEqual([
      ['/etc/jail.conf', 'is not UTF-8 text and is left out'],
      ['/etc/jail.local', "can't be read"],
    ]);
  });
});
