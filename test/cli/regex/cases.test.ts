import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runRegex } from './run-regex.ts';

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dock2ban-regex-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function file(path: string, content: string): string {
  const full = join(directory, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

it('a row has the time of the line, and none if it has no date', async () => {
  const dated = await runRegex(['-o', 'row', '2005-08-14 10:00:00 x 192.0.2.1 y', 'x <HOST> y']);
  expect(dated.stdout).toMatch(/^\['192\.0\.2\.1',\t\d+\.0,\t\{/);
  const undated = await runRegex(['-o', 'row', 'x 192.0.2.1 y', 'x <HOST> y']);
  expect(undated.stdout).toMatch(/^\['192\.0\.2\.1',\tNone,\t\{/);
});

it.each([
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['2001:DB8:0::1/64', '2001:db8::/64'],
  ['2001:DB8:0::1', '2001:db8::1'],
  ['bob', 'bob'],
])('an id %s is %s', async (id, expected) => {
  const { stdout } = await runRegex(['-o', 'id', `x ${id} y`, String.raw`x <F-ID>\S+</F-ID> y`]);
  expect(stdout).toBe(`${expected}\n`);
});

it('several expressions are one a line, however they are indented', async () => {
  const { stdout } = await runRegex(['-o', 'id', 'x 192.0.2.1 y', 'a <HOST> b\n   x <HOST> y\n']);
  expect(stdout).toBe('192.0.2.1\n');
});

it('an address that prefregex captured counts where the failregex has none', async () => {
  const filter = file(
    'own.conf',
    String.raw`[Definition]
prefregex = ^auth(?:\(\S*,<ADDR>(?:,\S*)?\))?: <F-CONTENT>.+</F-CONTENT>$
failregex = ^(?:sql\(\S*,<ADDR>\): )?password mismatch
`,
  );
  const address = async (line: string): Promise<string> =>
    (await runRegex(['-o', 'ip', line, filter])).stdout.trim();
  expect(await address('auth(info@example.com,192.0.2.110,sasl:login): password mismatch')).toBe(
    '192.0.2.110',
  );
  expect(await address('auth: sql(x,192.0.2.111): password mismatch')).toBe('192.0.2.111');
  expect(await address('auth(x,192.0.2.110,y): sql(x,2001:db8::1): password mismatch')).toBe('2001:db8::1');
});

it('a zone may be an abbreviation', async () => {
  const { stdout } = await runRegex([
    '-o',
    'row',
    '--TZ',
    'CEST',
    '2005-08-14 10:00:00 x 192.0.2.1',
    'x <HOST>',
  ]);
  expect(stdout).toContain('\t1124006400.0,');
});

it('a filter without [Definition] and an include that is not there are named', async () => {
  const headless = file('headless.conf', 'failregex = x <HOST> y\n');
  const result = await runRegex(['x 192.0.2.1 y', headless]);
  expect(result.exitCode).toBe(255);
  expect(result.stderr).toContain(`${headless}: there is no section [Definition]`);
  const including = file(
    'filter.d/including.conf',
    '[INCLUDES]\nbefore = gone.conf\n[Definition]\nfailregex = x <HOST> y\n',
  );
  const other = await runRegex(['-o', 'id', 'x 192.0.2.1 y', including]);
  expect(other).toMatchObject({ exitCode: 0, stdout: '192.0.2.1\n' });
  expect(other.stderr).toContain(`${including}:2: includes filter.d/gone.conf, which does not exist`);
});

it('ends quietly when nobody reads on', async () => {
  const log = file('log', 'x 192.0.2.1 y\n'.repeat(20_000));
  const shell = `"$0" "$1" regex --print-all-matched "$2" 'x <HOST> y' | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
    execFile('bash', ['-c', shell, process.execPath, main, log], (_, out, err) =>
      resolve({ stdout: out, stderr: err }),
    );
  });
  expect(stderr).toBe('');
  expect(stdout.trim()).toBe('0');
});
