import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { importBans } from '../../src/cli/commands/import.ts';
import { ControlClient } from '../../src/control/client.ts';
import { serveControl } from '../../src/control/server.ts';
import { readFail2banDatabase } from '../../src/store/fail2ban-database.ts';
import { LiveDaemon } from '../daemon/jails/live-daemon.ts';
import { fail2banTree } from './fail2ban-tree.ts';

/** Lets fail2ban's own code write its database: two bans in force, one for ever, and one that is over. */
const write = `
import sys, time
from fail2ban.server.database import Fail2BanDb
from fail2ban.server.ticket import BanTicket
class Jail:
    def __init__(self, name):
        self.name = name
        self.actions = self
    def getBanTime(self):
        return 600
db = Fail2BanDb(sys.argv[1])
now = int(time.time())
for name, ip, ago, bantime, count in [
    ('sshd', '203.0.113.1', 60, 600, 3),
    ('sshd', '2001:db8::1', 60, -1, 1),
    ('sshd', '203.0.113.3', 600, 60, 2),
    ('postfix', '203.0.113.4', 60, 600, 1),
]:
    jail = Jail(name)
    db.addJail(jail)
    ticket = BanTicket(ip, now - ago, ['Failed password from %s' % ip])
    ticket.setAttempt(5)
    ticket.setBanTime(bantime)
    ticket.setBanCount(count)
    db.addBan(jail, ticket)
`;

it("dock2ban import takes over what fail2ban's database remembers, at once and with the time that remains", async () => {
  const daemon = new LiveDaemon();
  onTestFinished(() => daemon.end());
  daemon.config('jail.local', daemon.section('sshd'));
  await daemon.start();
  const socket = join(daemon.folder, 'control.sock');
  const server = await serveControl(socket, daemon.control);
  onTestFinished(() => server.close());
  const file = join(daemon.folder, 'fail2ban.sqlite3');
  const { pythonPath } = await fail2banTree();
  execFileSync('/usr/bin/python3', ['-c', write, file], {
    env: { PYTHONPATH: pythonPath, PYTHONWARNINGS: 'ignore', LC_ALL: 'C.UTF-8' },
    stdio: 'pipe',
  });
  const printed: string[] = [];
  await importBans(file, true, {
    client: new ControlClient(socket),
    readDatabase: readFail2banDatabase,
    now: Date.now,
    output: { print: (text) => printed.push(text), warn: () => undefined },
  });
  expect(JSON.parse(printed.join(''))).toEqual({
    active: 3,
    remembered: 1,
    enforced: 2,
    waiting: { postfix: 1 },
    refused: [],
    skipped: 0,
    reasons: [],
  });
  expect(daemon.control.banned()).toEqual({ sshd: ['203.0.113.1', '2001:db8::1'] });
  const [ban] = daemon.control.views.why('203.0.113.1').jails[0]!.bans;
  expect(ban).toMatchObject({ count: 3, failures: 5, lines: ['Failed password from 203.0.113.1'] });
  expect(Date.parse(ban!.until!) - Date.parse(ban!.since)).toBe(600_000);
  expect(daemon.control.views.why('203.0.113.3').jails[0]!.past).toMatchObject([{ count: 2 }]);
});
