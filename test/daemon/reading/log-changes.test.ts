import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveDaemon } from '../jails/live-daemon.ts';

let daemon: LiveDaemon;
let folder: string;

beforeEach(() => {
  daemon = new LiveDaemon();
  folder = join(daemon.folder, 'logs');
  mkdirSync(folder);
});

afterEach(async () => {
  await daemon.end();
});

/** A jail that reads these, each a pattern below the folder with what may follow it. */
function jail(name: string, logpaths: readonly string[], options = ''): string {
  const paths = logpaths.map((path) => join(folder, path)).join('\n          ');
  return `[${name}]\nenabled = true\nfilter =\nfailregex = ${daemon.failregex}\nmaxretry = 100000\nport = 8000\nlogpath = ${paths}\n${options}\n`;
}

async function change(...sections: readonly string[]): Promise<void> {
  daemon.config('jail.local', sections.join('\n'));
  expect(await daemon.control.live.reload(undefined)).toMatchObject({ applied: true });
}

const address = (n: number): string => `10.1.${n >> 8}.${n & 255}`;
const lines = (...numbers: readonly number[]): string =>
  numbers.map((n) => `${new Date().toISOString()} bad ${address(n)}\n`).join('');
const log = (name: string, ...numbers: readonly number[]): void =>
  appendFileSync(join(folder, name), lines(...numbers));
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

/** What jails counted: each address once, if nothing was lost and nothing came twice. */
async function expectCounts(jails: Readonly<Record<string, number>>): Promise<void> {
  await vi.waitFor(
    () => {
      const counted = Object.keys(jails).map((name) => [name, daemon.control.jail(name)?.totalFailed]);
      expect(Object.fromEntries(counted)).toEqual(jails);
    },
    { timeout: 20_000, interval: 10 },
  );
  for (const [name, count] of Object.entries(jails)) {
    const ips = daemon.of('found').flatMap(({ jail: of, ip }) => (of === name ? [ip] : []));
    expect(new Set(ips).size, name).toBe(ips.length);
    expect(ips.length, name).toBe(count);
  }
}

describe('a jail whose log files are changed while they grow', () => {
  it('joins a reading of others that stands elsewhere, with nothing lost or twice', async () => {
    writeFileSync(join(folder, 'a.log'), '');
    daemon.config('jail.local', `${jail('one', ['a.log head'])}${jail('two', ['a.log tail'])}`);
    await daemon.start();
    let written = 0;
    for (let round = 0; round < 30; round++) {
      // More than is read at once, so that the two readings stand at different places.
      log('a.log', ...range(written, written + 2000));
      written += 2000;
      await new Promise((resolve) => void setTimeout(resolve, round % 7));
      const [one, two] = round % 2 === 0 ? ['head', 'head'] : ['head', 'tail'];
      await change(jail('one', [`a.log ${one}`]), jail('two', [`a.log ${two}`]));
    }
    await expectCounts({ one: written, two: written });
  });

  it('goes on where it was when the file is named otherwise', async () => {
    log('a.log', 1, 2);
    log('b.log', 3);
    daemon.config('jail.local', jail('app', ['a.log']));
    await daemon.start();
    await expectCounts({ app: 2 });
    // All of b is new, nothing of a is.
    await change(jail('app', ['*.log']));
    await expectCounts({ app: 3 });
    log('a.log', 4);
    await expectCounts({ app: 4 });
    await change(jail('app', ['a.log', 'b.log tail']));
    log('a.log', 5);
    log('b.log', 6);
    await expectCounts({ app: 6 });
    await change(jail('app', ['a.*', 'b.log'], 'logencoding = latin1'));
    log('a.log', 7);
    log('b.log', 8);
    await expectCounts({ app: 8 });
  });

  it('counts a line once that two of its patterns name', async () => {
    daemon.config('jail.local', jail('app', ['*.log', 'a.log', 'a*', 'b.log tail', 'b.log head']));
    log('a.log', 1);
    await daemon.start();
    await expectCounts({ app: 1 });
    log('a.log', 2);
    log('b.log', 3);
    log('c.log', 4);
    await expectCounts({ app: 4 });
    // By one pattern less and one more.
    await change(jail('app', ['a*', '*.log']));
    log('a.log', 5);
    log('b.log', 6);
    await expectCounts({ app: 6 });
  });
});

describe('a log file', () => {
  it.each([
    ['utf-8', (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))],
    ['utf-16', (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'), 'utf16le')],
    ['utf-16be', (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'), 'utf16le').swap16()],
  ])('from another system in %s, with its ends of lines', async (encoding, encoded) => {
    const path = join(folder, 'a.log');
    writeFileSync(path, encoded(`\ufeffa log\n${lines(1, 2)}`));
    daemon.config('jail.local', jail('app', ['a.log'], `logencoding = ${encoding}`));
    await daemon.start();
    await expectCounts({ app: 2 });
    for (let n = 3; n < 9; n++) {
      appendFileSync(path, encoded(lines(n)));
      await expectCounts({ app: n });
    }
  });
});

describe('ready', () => {
  it('means that what is logged from then on counts, with or without a date', async () => {
    const names = range(0, 40).map((n) => `${n}.log`);
    for (const name of names) writeFileSync(join(folder, name), 'bad 10.9.9.9\n');
    daemon.config('jail.local', jail('app', ['?.log tail', ...names.slice(10)]));
    await daemon.start();
    for (const [n, name] of names.entries()) appendFileSync(join(folder, name), `bad ${address(n)}\n`);
    await expectCounts({ app: names.length });
  });
});
