import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type EventLog, eventLog } from '../../../src/daemon/events/event-log.ts';
import { localTime } from '../../../src/text/local-time.ts';
import { toFail2ban } from '../../../src/daemon/events/fail2ban-format.ts';
import { Dock2banError } from '../../../src/errors.ts';
import { logForm } from '../../../src/daemon/events/log-form.ts';

const since = Date.UTC(2026, 10, 22, 13, 44, 53);
const ban = { jail: 'nginx-proxy', ip: '20.247.234.38', since, until: since + 600_000 };

/** The lines that `tell` logs. */
function logged(tell: (events: EventLog) => void): string[] {
  const lines: string[] = [];
  const options = {
    base: null,
    timestamp: () => ',"time":"2026-11-22T13:44:53.123Z"',
    formatters: { level: (level: string) => ({ level }) },
  };
  tell(eventLog(pino(options, { write: (line: string) => void lines.push(line) })));
  return lines;
}

describe('EventLog', () => {
  it('logs a ban with its fields, in the words of fail2ban', () => {
    const [line] = logged((events) => events.ban(ban, 5, false, 'web'));
    expect(JSON.parse(line!)).toEqual({
      level: 'info',
      time: '2026-11-22T13:44:53.123Z',
      event: 'ban',
      jail: 'nginx-proxy',
      ip: '20.247.234.38',
      container: 'web',
      failures: 5,
      bantime: 600,
      until: '2026-11-22T13:54:53.000Z',
      msg: '[nginx-proxy] Ban 20.247.234.38',
    });
  });

  it('says that a permanent ban has no end', () => {
    const [line] = logged((events) => events.ban({ ...ban, until: undefined }, undefined, false));
    expect(JSON.parse(line!)).toMatchObject({ bantime: -1, until: null });
  });
});

describe('the fail2ban format', () => {
  // The patterns are how fail2ban's own recidive filter and common dashboards read fail2ban.log.
  it.each([
    [
      (e: EventLog) => e.ban(ban, 5, false),
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,123 fail2ban\.actions {8}\[\d+\]: NOTICE {2}\[nginx-proxy\] Ban 20\.247\.234\.38\n$/,
    ],
    [
      (e: EventLog) => e.restore(ban),
      /fail2ban\.actions {8}\[\d+\]: NOTICE {2}\[nginx-proxy\] Restore Ban 20\.247\.234\.38\n$/,
    ],
    [
      (e: EventLog) => e.unban(ban, 'expired'),
      /fail2ban\.actions {8}\[\d+\]: NOTICE {2}\[nginx-proxy\] Unban 20\.247\.234\.38\n$/,
    ],
    [
      (e: EventLog) => e.found('nginx-proxy', '20.247.234.38', 1, since, 'nginx'),
      /fail2ban\.filter {9}\[\d+\]: INFO {4}\[nginx-proxy\] Found 20\.247\.234\.38 - \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$/,
    ],
    [
      (e: EventLog) => e.sourceLost('/var/log/syslog', 'ENOENT', undefined),
      /fail2ban\.server {9}\[\d+\]: WARNING Cannot read \/var\/log\/syslog: ENOENT\n$/,
    ],
  ])('%#', (tell, pattern) => {
    const [line] = logged(tell);
    expect(toFail2ban(line!)).toMatch(pattern);
  });

  it('is one line, whatever a label or log line brought in', () => {
    const forged = 'x\n2026-11-22 13:44:53,123 fail2ban.actions [1]: NOTICE [sshd] Ban 203.0.113.9\u001b[2J';
    const [line] = logged((events) => events.neverBanned('app', forged, 'it is no address'));
    expect(toFail2ban(line!).trimEnd()).not.toMatch(/\p{Cc}/u);
  });
});

describe('the text format', () => {
  const text = (json: string, colors = false): string => logForm('text', colors)(json);
  const local = (at: number): string => localTime(new Date(at));
  const logTime = Date.parse('2026-11-22T13:44:53.123Z');
  it.each<[tell: (events: EventLog) => void, line: string]>([
    [
      (e) => e.found('nginx-proxy', '20.247.234.38', 3, logTime, 'web'),
      'INFO  [nginx-proxy] Found 20.247.234.38 (failure 3, container web)',
    ],
    [
      (e) => e.found('sshd', '20.247.234.38', 1, logTime - 60_000, undefined),
      `INFO  [sshd] Found 20.247.234.38 - ${local(logTime - 60_000)} (failure 1)`,
    ],
    [
      (e) => e.ban(ban, 5, false, 'web'),
      `INFO  [nginx-proxy] Ban 20.247.234.38 (5 failures, container web, until ${local(ban.until)})`,
    ],
    [
      (e) => e.ban({ ...ban, until: undefined }, undefined, false),
      'INFO  [nginx-proxy] Ban 20.247.234.38 (by hand, permanent)',
    ],
    [(e) => e.restore(ban), `INFO  [nginx-proxy] Restore Ban 20.247.234.38 (until ${local(ban.until)})`],
    [(e) => e.unban(ban, 'expired'), 'INFO  [nginx-proxy] Unban 20.247.234.38 (expired)'],
    [
      (e) => e.sourceLost('/var/log/syslog', 'ENOENT', undefined),
      'WARN  Cannot read /var/log/syslog: ENOENT',
    ],
  ])('%#', (tell, line) => {
    expect(text(logged(tell)[0]!)).toBe(`${local(logTime)} ${line}\n`);
  });

  it("shows where an internal error happened, and nothing of Dock2banError's stack", () => {
    const [line] = logged((events) => events.fault(new Error('odd')));
    expect(text(line!)).toMatch(
      /ERROR Internal error: odd \(please report it\) \(at .*log-format\.test\.ts:\d+:\d+/,
    );
    const [expected] = logged((events) => events.fault(new Dock2banError('store', 'full')));
    expect(text(expected!)).not.toContain('log-format.test.ts');
  });

  it('colours the level of what is amiss, on a terminal', () => {
    const [line] = logged((events) => events.sourceLost('x', 'ENOENT', undefined));
    expect(text(line!, true)).toContain(' \u001b[33mWARN \u001b[39m Cannot read x');
  });
});
