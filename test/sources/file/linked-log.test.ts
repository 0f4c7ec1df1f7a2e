import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { patience, TailReader } from './tail-reader.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let link: string;
let reader: TailReader;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'linked-'));
  for (const name of ['links', 'pod']) fs.mkdirSync(join(folder, name));
  link = join(folder, 'links/app.log');
});

afterEach(async () => {
  await reader?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const file = (name: string): string => join(folder, 'pod', name);

function append(name: string, ...lines: readonly string[]): void {
  fs.appendFileSync(file(name), lines.map((line) => `${line}\n`).join(''));
}

function point(name: string): void {
  fs.rmSync(link, { force: true });
  fs.symlinkSync(join('../pod', name), link);
}

async function follow(path: string, after?: string): Promise<void> {
  reader = new TailReader(path, 'start', after);
  await reader.begun;
}

async function expectLines(...lines: readonly string[]): Promise<void> {
  await vi.waitFor(() => expect(reader.lines).toEqual(lines), patience);
}

/** Reads to the end, and stops. @returns the position to go on from */
async function readOnce(path: string, ...lines: readonly string[]): Promise<string> {
  await follow(path);
  await expectLines(...lines);
  await reader.stop();
  return reader.position!;
}

describe('a log that a symbolic link leads to', () => {
  it('is read on after a stop, through what was rotated beside its file', async () => {
    append('0.log', '1');
    point('0.log');
    const position = await readOnce(link, '1');
    append('0.log', '2');
    fs.renameSync(file('0.log'), file('0.log.20261122-101010'));
    append('0.log', '3');
    fs.renameSync(file('0.log'), file('0.log.20261122-111111'));
    append('0.log', '4');
    await follow(link, position);
    await expectLines('2', '3', '4');
    expect(reader.states).toEqual([]);
  });

  it.each(['the log itself', 'the folder that it is in'])(
    'is not read on through files outside of the folders of logs, where %s leads meanwhile',
    async (what) => {
      append('0.log', '1');
      fs.mkdirSync(join(folder, 'pod/own'));
      fs.renameSync(file('0.log'), file('own/0.log'));
      const log = file('own/0.log');
      reader = new TailReader(log, 'start', undefined, [join(folder, 'pod')]);
      await reader.begun;
      await expectLines('1');
      await reader.stop();
      const position = reader.position!;
      fs.mkdirSync(join(folder, 'secret'));
      fs.renameSync(log, join(folder, 'secret/0.log.1'));
      fs.appendFileSync(join(folder, 'secret/0.log.1'), 'of the host\n');
      fs.rmSync(file('own'), { recursive: true });
      if (what === 'the log itself') {
        fs.mkdirSync(file('own'));
        fs.symlinkSync('../../secret/0.log', log);
      } else fs.symlinkSync('../secret', file('own'));
      reader = new TailReader(log, 'start', position, [join(folder, 'pod')]);
      await reader.begun;
      fs.rmSync(file('own'), { recursive: true });
      fs.mkdirSync(file('own'));
      fs.writeFileSync(log, '2\n');
      await expectLines('2');
    },
  );

  it('is read on after copytruncate', async () => {
    append('0.log', '1');
    point('0.log');
    await follow(link);
    await expectLines('1');
    fs.copyFileSync(file('0.log'), file('0.log.1'));
    fs.truncateSync(file('0.log'));
    append('0.log', '2');
    await expectLines('1', '2');
    expect(reader.states).toEqual([]);
  });

  it('is read on when the link leads to another file, with those in between by their dates', async () => {
    append('app-2026-11-20.log', '1');
    point('app-2026-11-20.log');
    const position = await readOnce(link, '1');
    append('app-2026-11-20.log', '2');
    for (const [day, line] of [
      [21, '3'],
      [22, '4'],
    ] as const) {
      append(`app-2026-11-${day}.log`, line);
      const at = new Date(Date.now() - (30 - day) * 1000);
      fs.utimesSync(file(`app-2026-11-${day}.log`), at, at);
    }
    fs.utimesSync(file('app-2026-11-20.log'), new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
    append('other-2026-11-22.log', 'not of this log');
    append('app-2026-11-23.log', '5');
    point('app-2026-11-23.log');
    await follow(link, position);
    await expectLines('2', '3', '4', '5');
    expect(reader.states).toEqual([]);
  });

  it('is waited for while the link leads nowhere', async () => {
    append('0.log', '1');
    point('0.log');
    const position = await readOnce(link, '1');
    append('0.log', '2');
    fs.renameSync(file('0.log'), file('0.log.1'));
    await follow(link, position);
    await expectLines('2');
    append('0.log', '3');
    await expectLines('2', '3');
  });
});

describe('a log that is numbered before its extension', () => {
  it('is read on after a stop, through all numbers', async () => {
    append('app.log', '1');
    const position = await readOnce(file('app.log'), '1');
    append('app.log', '2');
    // Of another instance: nothing is known of it.
    append('app.7.log', 'other');
    fs.renameSync(file('app.log'), file('app.1.log'));
    append('app.log', '3');
    fs.renameSync(file('app.1.log'), file('app.2.log'));
    fs.renameSync(file('app.log'), file('app.1.log'));
    append('app.log', '4');
    const before = new Date(Date.now() - 60_000);
    fs.utimesSync(file('app.7.log'), before, before);
    await follow(file('app.log'), position);
    await expectLines('2', '3', '4');
    expect(reader.states).toEqual([]);
  });
});
