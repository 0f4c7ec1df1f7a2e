import { appendFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LiveDaemon } from '../jails/live-daemon.ts';

let daemon: LiveDaemon;

beforeEach(() => {
  daemon = new LiveDaemon();
});

afterEach(async () => daemon.end());

it.each([65_536, 262_144])(
  'a line of more than %i bytes bans nobody by where it is cut',
  async (length) => {
    daemon.config('jail.local', daemon.section('a', 'maxretry = 3'));
    writeFileSync(daemon.logPath('a'), '');
    await daemon.start();
    const victim = '192.0.2.66';
    const log = (text: string): void => appendFileSync(daemon.logPath('a'), `${text}\n`);
    const stamp = new Date().toISOString();
    for (const at of [(length * 3) / 4, length]) {
      // Cut there, a line about the victim; and about another, from where it goes on.
      const first = `${stamp} `.padEnd(at - victim.length - 4) + `bad ${victim}`;
      for (let i = 0; i < 3; i += 1) log(`${first}7 ${'x'.repeat(length)}`);
      for (let i = 0; i < 3; i += 1) log(`${'x'.repeat(at)}${`bad ${victim}`.padStart(length / 4)}`);
    }
    daemon.fail('a', '203.0.113.1');
    await daemon.sees('found', { ip: '203.0.113.1' });
    expect(daemon.of('found').map(({ ip }) => ip)).toEqual(['203.0.113.1']);
  },
  30_000,
);
