import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfFile } from '../../../src/config/conf/conf-file.ts';
import { fail2banSettings } from '../../../src/config/jails/fail2ban-settings.ts';

function settings(files: Readonly<Record<string, string>>) {
  const user = Object.entries(files).map(
    ([path, text]) => [path, parseConfFile(text, `/etc/fail2ban/${path}`)] as const,
  );
  return fail2banSettings({
    configDir: '/etc/fail2ban',
    user: new Map(user),
    builtin: new Map(),
    problems: [],
  });
}

describe('dbpurgeage', () => {
  it.each([
    ['', 86_400],
    ['[DEFAULT]\ndbpurgeage = 1d\n[Definition]\n', 86_400],
    ['[Definition]\ndbpurgeage = 648000\n', 648_000],
    ['[DEFAULT]\ndbpurgeage = 1d\n[Definition]\ndbpurgeage = 1w\n', 604_800],
    ['[DEFAULT]\ndays = 3\n[Definition]\ndbpurgeage = %(days)sd\n', 259_200],
    ['[Definition]\ndbpurgeage = -1\n', 0],
    ['[Definition]\ndbpurgeage = 1000y\n', 316_224_000],
    ['[jail]\ndbpurgeage = 5\n', 86_400],
  ])('of %j is %i', (text, purgeAge) => {
    expect(settings({ 'fail2ban.conf': text })).toEqual({ purgeAge, problems: [] });
  });

  it('is read in the order of fail2ban', () => {
    const of = (...names: string[]) =>
      settings(
        Object.fromEntries(names.map((name, index) => [name, `[Definition]\ndbpurgeage = ${index + 1}h\n`])),
      ).purgeAge / 3600;
    expect(of('fail2ban.conf', 'fail2ban.d/a.conf', 'fail2ban.local', 'fail2ban.d/a.local')).toBe(4);
    expect(of('fail2ban.conf', 'fail2ban.d/a.conf', 'fail2ban.local')).toBe(3);
    expect(of('fail2ban.conf', 'fail2ban.d/a.conf')).toBe(2);
  });

  it('that is none is a problem with its place, and the default holds', () => {
    expect(settings({ 'fail2ban.local': '[Definition]\n\ndbpurgeage = soon\n' })).toEqual({
      purgeAge: 86_400,
      problems: [
        expect.objectContaining({
          severity: 'warn',
          where: '/etc/fail2ban/fail2ban.local:3',
          message: expect.stringContaining('dbpurgeage: invalid duration "soon"'),
        }),
      ],
    });
    expect(settings({ 'fail2ban.conf': '[Definition]\ndbpurgeage = %(x)s\n' })).toMatchObject({
      purgeAge: 86_400,
      problems: [{ where: '/etc/fail2ban/fail2ban.conf:2' }],
    });
  });

  it('is a time of some sort, whatever the file says', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { purgeAge } = settings({ 'fail2ban.conf': `[Definition]\ndbpurgeage = ${text}\n` });
        expect(Number.isInteger(purgeAge) && purgeAge >= 0 && purgeAge <= 316_224_000).toBe(true);
      }),
    );
  });
});
