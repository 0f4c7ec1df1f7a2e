import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ScriptedJournalctl } from '../../sources/journal/scripted-journal.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

let daemon: LiveDaemon;
let serial: number;

beforeEach(() => {
  daemon = new LiveDaemon();
  serial = 0;
});

afterEach(async () => {
  await daemon.end();
});

/** An entry that tells of an address, of some seconds ago; with the fields that it is met by. */
function entry(ip: string, ago: number, fields: Readonly<Record<string, string>>): object {
  const micros = (Date.now() - ago * 1000) * 1000 + ++serial;
  return {
    __CURSOR: `s=1;i=${serial.toString(16)};t=${micros.toString(16)}`,
    __REALTIME_TIMESTAMP: String(micros),
    _UID: '0',
    _HOSTNAME: 'host',
    SYSLOG_IDENTIFIER: 'app',
    MESSAGE: `bad ${ip}`,
    ...fields,
  };
}

async function run(index: number): Promise<ScriptedJournalctl> {
  return vi.waitFor(
    () => {
      expect(daemon.journal.runs.length).toBeGreaterThan(index);
      return daemon.journal.runs[index]!;
    },
    { timeout: 10_000, interval: 5 },
  );
}

const found = () => daemon.of('found').map(({ ip }) => ip);

async function expectFound(...ips: readonly string[]): Promise<void> {
  await vi.waitFor(() => expect(found()).toEqual(ips), { timeout: 10_000, interval: 5 });
}

const jail = (journalmatch: string): string =>
  `[app]\nenabled = true\nbackend = systemd\njournalmatch = ${journalmatch}\nfilter =\nfailregex = bad <HOST>$\nmaxretry = 50\nport = 8000\n`;

async function change(journalmatch: string): Promise<void> {
  daemon.config('jail.local', jail(journalmatch));
  expect(await daemon.control.live.reload(undefined)).toMatchObject({ applied: true });
}

describe('a journalmatch that is changed', () => {
  it('counts what the new one meets of findtime, but nothing again that the old one met', async () => {
    daemon.config('jail.local', jail('_COMM=one'));
    await daemon.start();
    const both = entry('198.51.100.1', 60, { _COMM: 'one', _UNIT: 'app' });
    const onlyOld = entry('198.51.100.2', 50, { _COMM: 'one' });
    const onlyNew = entry('198.51.100.3', 40, { _COMM: 'two', _UNIT: 'app' });
    const last = entry('198.51.100.4', 30, { _COMM: 'one', _UNIT: 'app' });
    (await run(0)).print(both, onlyOld, last);
    await expectFound('198.51.100.1', '198.51.100.2', '198.51.100.4');
    await change('_UNIT=app');
    const again = await run(1);
    expect(again.option('since')).toBeDefined();
    const fresh = entry('198.51.100.5', 0, { _COMM: 'one', _UNIT: 'app' });
    again.print(both, onlyNew, last, fresh);
    await expectFound('198.51.100.1', '198.51.100.2', '198.51.100.4', '198.51.100.3', '198.51.100.5');
    // And back: what the first had not read while the second was in force.
    await change('_COMM=one');
    const back = await run(2);
    const latest = entry('198.51.100.6', 0, { _COMM: 'one' });
    back.print(both, onlyOld, last, fresh, latest);
    await expectFound(
      '198.51.100.1',
      '198.51.100.2',
      '198.51.100.4',
      '198.51.100.3',
      '198.51.100.5',
      '198.51.100.6',
    );
  });

  it('that is joined by another counts nothing twice that both meet', async () => {
    daemon.config('jail.local', jail('_COMM=one'));
    await daemon.start();
    const both = entry('198.51.100.1', 60, { _COMM: 'one', _UNIT: 'app' });
    const onlyNew = entry('198.51.100.2', 50, { _UNIT: 'app' });
    const last = entry('198.51.100.3', 30, { _COMM: 'one' });
    (await run(0)).print(both, last);
    await expectFound('198.51.100.1', '198.51.100.3');
    await change('_COMM=one + _UNIT=app');
    (await run(1)).print(both, onlyNew, last, entry('198.51.100.4', 0, { _UNIT: 'app' }));
    await expectFound('198.51.100.1', '198.51.100.3', '198.51.100.2', '198.51.100.4');
  });

  it('tells of entries that are gone meanwhile', async () => {
    daemon.config('jail.local', jail('_COMM=one'));
    await daemon.start();
    (await run(0)).print(entry('198.51.100.1', 60, { _COMM: 'one' }));
    await expectFound('198.51.100.1');
    serial += 10;
    daemon.journal.runs[0]!.end();
    const later = entry('198.51.100.2', 10, { _COMM: 'one' });
    (await run(1)).print(later);
    const question = await run(2);
    question.print(later);
    question.end('');
    await daemon.sees('gap', { source: 'the journal', reason: 'vacuumed', total: 1 });
    const gap = daemon.of('gap')[0];
    expect(Date.parse(String(gap?.['until'])) - Date.parse(String(gap?.['from']))).toBeGreaterThan(49_000);
    await expectFound('198.51.100.1', '198.51.100.2');
  });
});
