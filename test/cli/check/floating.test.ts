import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { check } from '../../../src/cli/check/command.ts';
import { container } from '../../config/container.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dock2ban-check-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

it('expressions of one’s own that anybody can forge are noticed, in files and labels', async () => {
  const log = join(directory, 'x.log');
  const jail = (name: string, failregex: string): string =>
    `[${name}]\nenabled = true\nfilter =\nlogpath = ${log}\nport = 80\nfailregex = ${failregex}\n`;
  const fixed = '^bad .* from <HOST>$';
  const local = join(directory, 'jail.local');
  writeFileSync(log, '');
  writeFileSync(local, jail('open', '^.* bad <HOST>') + jail('fixed', fixed));
  const labelled = (name: string, failregex: string) =>
    container(name, { 'fail2ban.jail': name, 'fail2ban.failregex': failregex });
  let stdout = '';
  const exitCode = await check(
    {
      configDir: directory,
      builtinDir: 'filters',
      docker: async () => ({
        containers: [labelled('web', 'bad <HOST>'), labelled('app', fixed)],
        networks: [],
      }),
    },
    false,
    (text) => {
      stdout += text;
    },
  );
  const noticed = stdout.split('\n').filter((line) => line.includes("a client may bring somebody else's"));
  expect(noticed).toEqual([
    expect.stringContaining(`notice: ${local}:6: failregex of jail open`),
    expect.stringContaining(
      'notice: container web, label fail2ban.failregex=bad <HOST>: failregex of jail web',
    ),
  ]);
  expect(exitCode).toBe(0);
});
