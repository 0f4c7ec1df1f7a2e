import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JailSpec } from '../../../src/config/jail-spec.ts';
import { readEngine, type EngineFacts } from '../../../src/doctor/facts/engine-facts.ts';
import { sightingsOf } from '../../../src/doctor/checks/sightings.ts';
import { FakeEngine, idOf } from '../../docker/fake-engine.ts';
import { FakeLogs } from '../../docker/fake-logs.ts';
import { messagesOf } from '../../sources/docker/fake-container-log.ts';
import { jailSpec } from '../../jail/jail-spec.ts';

const { signal } = new AbortController();
const silent = undefined;
const spec = (source: JailSpec['sources'][number]): JailSpec =>
  jailSpec({
    name: 'web',
    sources: [source],
    filter: {
      ...jailSpec().filter,
      failregex: [String.raw`^app <HOST> failed$`, String.raw`^ \S+ syslog-app: <HOST> failed$`],
    },
  });

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dock2ban-sightings-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('sightingsOf', () => {
  it("finds offenders in a container's own lines of the syslog file, with and without the header", async () => {
    const text = [
      'Nov 22 13:44:53 host web[7]: app 172.17.0.1 failed',
      'Nov 22 13:44:54 host other[7]: app 203.0.113.1 failed',
      'Nov 22 13:44:55 host web[7]: app 203.0.113.2 served',
      'Nov 22 13:44:56 host web[7]: app 203.0.113.3 failed',
      '',
    ].join('\n');
    const syslog = { path: '/log', tail: { text, modifiedAt: Date.now() } };
    const jail = spec({ kind: 'syslog', program: 'web', container: 'web', containerId: 'f00' });
    expect(await sightingsOf(jail, { engine: silent, syslog, files: glob, signal })).toEqual([
      { jail: 'web', source: '/log (web)', lines: 3, offenders: ['172.17.0.1', '203.0.113.3'] },
    ]);
    const sent = spec({
      kind: 'syslog',
      program: 'web',
      container: 'web',
      containerId: 'f00',
      via: 'receiver',
    });
    expect(
      await sightingsOf(sent, { engine: silent, syslog, files: glob, signal }),
      'not in the file',
    ).toEqual([]);
  });

  it('finds offenders in files, and says which can not be read', async () => {
    writeFileSync(join(directory, 'a.log'), 'app 203.0.113.3 failed\nhalf a line of 203.0.113.4');
    const jail = spec({
      kind: 'file',
      pattern: join(directory, '*.log'),
      from: 'tail',
      container: undefined,
    });
    expect(await sightingsOf(jail, { engine: silent, syslog: undefined, files: glob, signal })).toEqual([
      { jail: 'web', source: join(directory, 'a.log'), lines: 1, offenders: ['203.0.113.3'] },
    ]);
    async function* gone(): AsyncGenerator<string> {
      yield join(directory, 'gone.log');
    }
    expect(await sightingsOf(jail, { engine: silent, syslog: undefined, files: gone, signal })).toEqual([
      { failed: expect.stringContaining('ENOENT') as string },
    ]);
  });

  it("finds offenders by Docker's log API, and says why if it can't", async () => {
    const engine = await new FakeEngine().start();
    try {
      const logs = new FakeLogs(engine);
      engine.containers = [{ id: idOf('a'), name: 'web', labels: { 'fail2ban.jail': 'web' } }];
      const said = ['app 172.17.0.1 failed', 'app served'];
      logs.log(
        idOf('a'),
        ...said.flatMap((line, i) => messagesOf(1, BigInt(Date.now() + i) * 1_000_000n, line)),
      );
      const facts = (await readEngine(`unix://${engine.socketPath}`, signal)) as EngineFacts;
      expect(facts).toMatchObject({
        version: '20.10.24',
        containers: [{ snapshot: { name: 'web' } }],
      });
      const jail = spec({ kind: 'docker', containerId: idOf('a'), container: 'web' });
      const context = { engine: facts, syslog: undefined, files: glob, signal };
      expect(await sightingsOf(jail, context)).toEqual([
        { jail: 'web', source: 'docker:web', lines: 2, offenders: ['172.17.0.1'] },
      ]);
      logs.refusal = { status: 501, message: 'configured logging driver does not support reading' };
      expect(await sightingsOf(jail, context)).toEqual([
        {
          failed: expect.stringMatching(
            /^\[web\] docker:web could not be read: .*does not support reading/,
          ) as string,
        },
      ]);
    } finally {
      await engine.stop();
    }
  });
});
