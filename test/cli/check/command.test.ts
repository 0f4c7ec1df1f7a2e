import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { check } from '../../../src/cli/check/command.ts';
import type { ContainerSnapshot } from '../../../src/docker/snapshot.ts';
import { Dock2banError } from '../../../src/errors.ts';
import { container } from '../../config/container.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dock2ban-check-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function file(path: string, content: string): string {
  const full = join(directory, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

async function checked(
  containers: () => Promise<readonly ContainerSnapshot[]> = () => Promise.resolve([]),
  json = false,
  builtinDir = join(directory, 'builtin'),
) {
  let stdout = '';
  const docker = async () => ({ containers: await containers(), networks: [] });
  const context = { configDir: directory, builtinDir, docker };
  const exitCode = await check(context, json, (text) => {
    stdout += text;
  });
  return { exitCode, stdout, lines: stdout.trimEnd().split('\n') };
}

const good = '[Definition]\nfailregex = login from <HOST>$\n';

describe('dock2ban check', () => {
  beforeEach(() => {
    file('builtin/filter.d/nginx-proxy.conf', good);
  });

  it('finds nothing wrong with what is shipped', async () => {
    const { exitCode, stdout } = await checked(undefined, false, 'filters');
    expect(stdout).toMatch(/^0 jails, \d+ filters, 0 containers checked: 0 errors, 0 notices\n$/);
    expect(exitCode).toBe(0);
  });

  it('reads fail2ban.conf and what is laid over it, as the controller does', async () => {
    const settings = file('fail2ban.local', '[Definition]\ndbpurgeage = soon\nloglevel = LOUD\n');
    const { exitCode, lines } = await checked();
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      expect.stringContaining(`error: ${settings}:2: dbpurgeage: invalid duration "soon"`),
      expect.stringContaining(`notice: ${settings}:3: loglevel: "LOUD" is no log level`),
      expect.stringMatching(/: 1 error, 1 notice$/),
    ]);
  });

  it.each([
    ['action = iptables-multiport[name=app, port="80", chain=DOCKER-USER]', 'jail.local:5'],
    ['action = %(act)s\nact = iptables[port="80", chain="%(chain)s"]\nchain = DOCKER-USER', 'jail.local:5'],
    ['act = iptables[port="80", chain="%(chain)s"]\nchain = DOCKER-USER', 'jail.local:6'],
    ['action = iptables-allports[chain=DOCKER-USER]', undefined],
    ['action = iptables-multiport[name=app, port="80", chain=INPUT]', undefined],
    ['action = iptables-multiport[name=app, port="80"]', undefined],
  ])('says of a ban for Docker’s chain that its port means another here: %s', async (options, at) => {
    const log = file('app.log', '');
    file('filter.d/app.conf', good);
    file('jail.conf', '[DEFAULT]\naction = %(act)s\nact = iptables[port=80]\n');
    const jails = file('jail.local', `[app]\nenabled = true\nlogpath = ${log}\nport = 80\n${options}\n`);
    const about = (lines: readonly string[]) => lines.filter((line) => line.includes('DOCKER-USER, where'));
    const { exitCode, lines } = await checked();
    expect(exitCode).toBe(0);
    expect(about(lines)).toEqual(
      at === undefined
        ? []
        : [expect.stringContaining(`notice: ${jails.replace('jail.local', at)}: jail app`)],
    );
    const web = container('web', { 'fail2ban.jail': 'app' });
    expect(about((await checked(() => Promise.resolve([web]))).lines)).toEqual([]);
  });

  it('finds nothing wrong with what is right', async () => {
    const log = file('app.log', '');
    file('filter.d/app.conf', good);
    file('jail.local', `[app]\nenabled = true\nlogpath = ${log}\n`);
    const labelled = container('web', { 'fail2ban.jail': 'nginx-proxy' });
    const { exitCode, lines } = await checked(() => Promise.resolve([labelled]));
    expect(exitCode).toBe(0);
    expect(lines).toEqual([
      expect.stringMatching(/^2 jails, \d+ filters?, 1 container checked: 0 errors, 0 notices$/),
    ]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'an option that is no value',
      { 'jail.local': '[app]\nenabled = true\nfindtime = soon\n' },
      /jail\.local:3: findtime: invalid duration "soon".*\(.*10m.*\)$/,
    ],
    [
      'a line that is none',
      { 'jail.local': '[app]\nthis is nothing\n' },
      /jail\.local:2: .*neither "option = value".*\(.*\)$/,
    ],
    [
      'a filter that is used and does not exist',
      { 'jail.local': '[shop]\nenabled = true\nfilter = shoop\nlogpath = /x\n' },
      /jail\.local:3: jail shop is left out: there is no filter shoop/,
    ],
    [
      'an expression of an unused filter',
      { 'filter.d/bad.conf': '[Definition]\n\nfailregex = ok <HOST>\n            login (from <HOST>$\n' },
      /filter\.d\/bad\.conf:3: failregex\[1\] of filter bad .*position 6.*\(.*\)$/,
    ],
    [
      'an interpolation of a filter',
      { 'filter.d/bad.conf': '[Definition]\nfailregex = %(nothing)s <HOST>\n' },
      /filter\.d\/bad\.conf:2: .*%\(nothing\)s.*\(.*\)$/,
    ],
    [
      'an include that is not there',
      { 'filter.d/bad.conf': `[INCLUDES]\nbefore = none.conf\n${good}` },
      /filter\.d\/bad\.conf:2: includes .*none\.conf.*\(.*\)$/,
    ],
  ])('an error: %s', async (_, files, message) => {
    file('filter.d/app.conf', good);
    for (const [path, content] of Object.entries(files)) file(path, content);
    const { exitCode, lines } = await checked();
    expect(exitCode).toBe(1);
    const errors = lines.filter((line) => line.startsWith('error: '));
    expect(errors).toEqual([expect.stringMatching(message)]);
    expect(errors[0]).toContain(`error: ${directory}/`);
    expect(lines.at(-1)).toMatch(/: 1 error, \d+ notices?$/);
  });

  it('an error: a label', async () => {
    const labelled = container('web', { 'fail2ban.jail': 'nginx-proxy', 'fail2ban.maxretry': 'many\nlines' });
    const { exitCode, lines } = await checked(() => Promise.resolve([labelled]));
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^error: container web, label fail2ban\.maxretry=many\\nlines: .*\(.*\)$/),
      expect.stringMatching(/1 error, 0 notices$/),
    ]);
  });

  it('notices alone leave the answer at yes', async () => {
    file('filter.d/app.conf', good);
    file(
      'jail.local',
      '[app]\nenabled = true\nmaxrety = 3\nlogpath = /no/such/*.log\n[other]\nfailregex = (\nlogpath = /x\n',
    );
    const refused = new Dock2banError('docker-unreachable', 'no answer', { fix: 'mount it' });
    const { exitCode, lines } = await checked(() => Promise.reject(refused));
    expect(exitCode).toBe(0);
    expect(lines).toEqual([
      expect.stringMatching(
        /^notice: .*jail\.local:3: nothing uses the option maxrety \(did you mean maxretry\?\)$/,
      ),
      'notice: jail app: there is no /no/such/*.log yet (it is waited for; correct logpath if it is not what you mean)',
      expect.stringMatching(/^notice: .*jail other is left out.*\(the jail is not enabled\) \(.*\)$/),
      'notice: docker: labels of containers are not checked: no answer (mount it)',
      expect.stringMatching(/^1 jail, \d+ filters, no container checked: 0 errors, 4 notices$/),
    ]);
  });

  it('names of one’s own that are used are no misspelling', async () => {
    file(
      'jail.local',
      '[DEFAULT]\nbantimes = 1h\nmaxretr = 4\n[app]\nbantime = %(bantimes)s\nmaxretry = %(DEFAULT/maxretr)s\n',
    );
    expect((await checked()).stdout).not.toContain('nothing uses');
  });

  it('parts that only others include need not stand for themselves', async () => {
    file('filter.d/part.conf', '[Definition]\nfailregex = %(_start)s <HOST>\n');
    file('filter.d/whole.conf', '[INCLUDES]\nbefore = part.conf\n[Definition]\n_start = from\n');
    expect(await checked()).toMatchObject({ exitCode: 0 });
  });

  it('as JSON', async () => {
    file('jail.local', '[nginx-proxy]\nenabled = perhaps\n');
    const { exitCode, stdout } = await checked(undefined, true);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      containers: 0,
      findings: [{ severity: 'error', where: `${directory}/jail.local:2`, fix: 'write true or false' }],
    });
  });
});
