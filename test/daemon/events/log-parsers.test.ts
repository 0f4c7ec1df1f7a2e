import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { eventLog } from '../../../src/daemon/events/event-log.ts';
import { toFail2ban } from '../../../src/daemon/events/fail2ban-format.ts';

/** The lines of an address or prefix with `--log-format fail2ban`: found, banned, restored, unbanned. */
function linesOf(ip: string): string[] {
  const lines: string[] = [];
  const options = {
    base: null,
    timestamp: () => ',"time":"2026-11-22T13:44:53.123Z"',
    formatters: { level: (level: string) => ({ level }) },
  };
  const events = eventLog(pino(options, { write: (line: string) => void lines.push(toFail2ban(line)) }));
  const since = Date.UTC(2026, 10, 22, 13, 44, 53);
  const ban = { jail: 'nginx-proxy', ip, since, until: since + 600_000 };
  events.found('nginx-proxy', ip, 5, since, 'nginx');
  events.ban(ban, 5, false);
  events.restore(ban);
  events.unban(ban, 'expired');
  return lines;
}

const addresses = ['203.0.113.7', '203.0.113.0/24', '2001:db8::1', '2001:db8:1:2::/64'] as const;

// As Netdata's collector reads fail2ban.log: the jail in brackets, what happened, an address
// (netdata/netdata, collectors/python.d.plugin/fail2ban/fail2ban.chart.py, RE_DATA).
describe.each(addresses)("Netdata's dashboard reads lines of %s", (ip) => {
  const pattern = /\[(?<jail>[\w-]+)\] (?<action>Unban|Ban|Restore Ban) (?<ip>[\da-f.:]+)/;
  // It takes a prefix for its first address.
  const address = ip.replace(/\/.*/, '');

  it('as bans and unbans', () => {
    const read = linesOf(ip).map((line) => ({ ...pattern.exec(line)?.groups }));
    const jail = 'nginx-proxy';
    expect(read).toEqual([
      {},
      { jail, action: 'Ban', ip: address },
      { jail, action: 'Restore Ban', ip: address },
      { jail, action: 'Unban', ip: address },
    ]);
  });
});

/** The named patterns of grok that are used below, as logstash-plugins/logstash-patterns-core has them, for our lines. */
const grok: Readonly<Record<string, string>> = {
  TIMESTAMP_ISO8601: String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d+`,
  WORD: String.raw`\b\w+\b`,
  INT: String.raw`[+-]?\d+`,
  LOGLEVEL: 'NOTICE|INFO|WARN(?:ING)?|ERROR|CRITICAL',
  NOTSPACE: String.raw`\S+`,
  IP: String.raw`(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f:]*:[\da-f:]+)`,
};

// What users of Elastic's and Telegraf's grok read fail2ban.log by, for the dashboards of Kibana and Grafana: time, module,
// process, level, jail, what happened, address (documented for instance in CPAN's Search::ESsearcher, Templates/bf2b.pm).
describe.each(addresses)('grok patterns read lines of %s', (ip) => {
  const source =
    String.raw`%{TIMESTAMP_ISO8601:timestamp} %{WORD:source}\.%{WORD:module} *\[%{INT:pid}\]: %{LOGLEVEL:level} *` +
    String.raw`\[%{NOTSPACE:jail}\] %{WORD:action} %{IP:ip}`;
  const pattern = new RegExp(
    source.replaceAll(/%\{(\w+):(\w+)\}/g, (_, name: string, field: string) => `(?<${field}>${grok[name]})`),
  );

  it('with every field', () => {
    const [found, ban, , unban] = linesOf(ip).map((line) => ({ ...pattern.exec(line)?.groups }));
    const common = { source: 'fail2ban', jail: 'nginx-proxy', ip: ip.replace(/\/.*/, '') };
    expect(found).toMatchObject({ ...common, module: 'filter', level: 'INFO', action: 'Found' });
    expect(ban).toMatchObject({ ...common, module: 'actions', level: 'NOTICE', action: 'Ban' });
    expect(unban).toMatchObject({ ...common, module: 'actions', level: 'NOTICE', action: 'Unban' });
    expect(ban?.['timestamp']).toMatch(/^2026-11-2\d \d\d:\d\d:53,123$/);
    expect(ban?.['pid']).toBe(String(process.pid));
  });
});
