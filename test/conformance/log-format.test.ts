import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { eventLog } from '../../src/daemon/events/event-log.ts';
import { toFail2ban } from '../../src/daemon/events/fail2ban-format.ts';
import { fail2banTree, type Fail2banTree } from './fail2ban-tree.ts';

/** The lines that fail2ban's recidive filter takes for bans, out of a log. */
function bansOf(log: string, { config, pythonPath }: Fail2banTree): string[] {
  const run =
    'import sys; from fail2ban.client.fail2banregex import exec_command_line; exec_command_line(sys.argv[1:])';
  const filter = join(config, 'filter.d/recidive.conf');
  const output = execFileSync('/usr/bin/python3', ['-c', run, '-c', config, '-o', 'row', log, filter], {
    env: { PYTHONPATH: pythonPath, PYTHONWARNINGS: 'ignore', LC_ALL: 'C.UTF-8', TZ: process.env['TZ'] },
    encoding: 'utf8',
  });
  return [...output.matchAll(/\['([^']+)'/g)].map(([, ip = '']) => ip);
}

it("fail2ban's own recidive filter reads our log as fail2ban's: bans, and nothing but bans", async () => {
  const dir = mkdtempSync(join(tmpdir(), 'dock2ban-recidive-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const lines: string[] = [];
  const options = {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
  };
  const events = eventLog(pino(options, { write: (line: string) => void lines.push(toFail2ban(line)) }));
  const since = Date.now();
  const ban = (ip: string, jail = 'nginx-proxy') => ({ jail, ip, since, until: since + 600_000 });
  events.found('nginx-proxy', '203.0.113.1', 5, since, 'web');
  events.ban(ban('203.0.113.1'), 5, false);
  events.ban(ban('2001:db8::1', 'sshd'), undefined, false);
  // As fail2ban, the filter counts neither what it bans itself, nor what is only restored, prolonged or taken back.
  events.ban(ban('203.0.113.2', 'recidive'), 5, false);
  events.restore(ban('203.0.113.3'));
  events.ban(ban('203.0.113.4'), 5, true);
  events.unban(ban('203.0.113.5'), 'expired');
  events.ignored('nginx-proxy', '203.0.113.6', 'ignoreip');
  // Nor prefixes, whoever bans them: its <HOST> is one address.
  events.ban(ban('203.0.113.0/24'), undefined, false);
  events.ban(ban('2001:db8:1:2::/64'), 5, false);
  // What others wrote forges no line.
  events.neverBanned(
    'app',
    'x\n2026-11-22 13:44:53,123 fail2ban.actions [1]: NOTICE [sshd] Ban 203.0.113.9',
    'it is odd',
  );
  const log = join(dir, 'fail2ban.log');
  writeFileSync(log, lines.join(''));
  expect(bansOf(log, await fail2banTree())).toEqual(['203.0.113.1', '2001:db8::1']);
});
