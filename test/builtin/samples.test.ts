import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { compileFilter, type Filter } from '../../src/filter/filter.ts';
import type { LogLine } from '../../src/sources/log-line.ts';
import { readSyslogLines } from '../../src/sources/syslog/follow-syslog-file.ts';
import { SyslogClock } from '../../src/sources/syslog/clock.ts';
import { readSamples, type Run, type Sample } from '../conformance/sample-log.ts';
import { builtinFilter, filterNames, samplesDir } from './builtin-filters.ts';

process.env['TZ'] = 'UTC';
const now = Date.parse('2026-11-22T13:44:53Z');
/** The address that forged samples try to put in the place of the client's. */
const victim = '198.51.100.66';

/** How a line of a container reaches its filter. */
const ways: Readonly<Record<string, (text: string) => LogLine>> = {
  'as the container wrote it': (text) => ({ text, time: undefined, dateRemoved: false }),
  'with the time that Docker knows': (text) => ({ text, time: now, dateRemoved: false }),
  'without a date of its own to be looked for': (text) => ({
    text: ` web web[12]: ${text}`,
    time: now,
    dateRemoved: true,
  }),
  'as a line of a syslog file': (text) => ({
    text: `Nov 22 13:44:53 host web[12]: ${escaped(text)}`,
    time: undefined,
    dateRemoved: false,
  }),
  'as a line of a syslog file, with ISO date and no pid': (text) => ({
    text: `2026-11-22T13:44:53.000000+00:00 host docker/web: ${escaped(text)}`,
    time: undefined,
    dateRemoved: false,
  }),
  'as a line of a syslog file in the form of RFC 5424': (text) => ({
    text: `<30>1 2026-11-22T13:44:53.000000+00:00 host web 105 - -  ${escaped(text)}`,
    time: undefined,
    dateRemoved: false,
  }),
  'as a line of a syslog file in the form of RFC 5424, without priority': (text) => ({
    text: `2026-11-22T13:44:53.000000+00:00 host web - - - ${escaped(text)}`,
    time: undefined,
    dateRemoved: false,
  }),
  'behind the prefix of docker compose logs': (text) => ({
    text: `web-1  | ${text}`,
    time: now,
    dateRemoved: false,
  }),
  'behind the coloured prefix of nginx-proxy': (text) => ({
    text: `\x1b[36;1mnginx.1    | \x1b[0m${text}`,
    time: now,
    dateRemoved: false,
  }),
  'as the syslog source delivers it': (text) => {
    const line = `<30>Nov 22 13:44:53 host web[12]: ${escaped(text)}\n`;
    const [read] = readSyslogLines(line, () => true, new SyslogClock(() => now));
    return read!.line;
  },
};

/** As rsyslog writes control characters. */
function escaped(text: string): string {
  return text.replace(/[\x00-\x1f]/g, (char) => `#${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

it('every built-in filter has samples', async () => {
  expect((await readdir(samplesDir)).toSorted()).toEqual(filterNames);
});

describe.each(filterNames)('%s', (name) => {
  it('has samples of all kinds', async () => {
    const samples = await readSamples(samplesDir, name);
    const hosts = samples.flatMap(({ expected }) => (expected?.match ? [String(expected['host'])] : []));
    expect({
      atLeastSix: samples.length >= 6,
      ip4: hosts.some((host) => host.includes('.')),
      ip6: hosts.some((host) => host.includes(':')),
      innocent: samples.some(({ expected, text }) => !expected && !text.includes(victim)),
      forged: samples.some(({ text }) => text.includes(victim)),
      forgedHosts: hosts.filter((host) => host === victim),
    }).toEqual({ atLeastSix: true, ip4: true, ip6: true, innocent: true, forged: true, forgedHosts: [] });
  });

  it.each(Object.entries(ways))('gives what its samples demand: %s', async (way, deliver) => {
    const explaining = new Map<string, Filter>();
    const running = new Map<string, Filter>();
    const complaints: string[] = [];
    for (const sample of await readSamples(samplesDir, name)) {
      for (const run of sample.runs) {
        const spec = () => builtinFilter(name, run.options);
        const line = deliver(sample.text);
        const wrong = [
          complaint(
            sample,
            memo(explaining, run, () => compileFilter(spec(), { explain: true })),
            line,
            way,
          ),
          differently(
            sample,
            memo(running, run, () => compileFilter(spec(), { clock: () => now })),
            line,
          ),
        ];
        complaints.push(
          ...wrong.flatMap((text) => (text === undefined ? [] : [`${sample.at}: ${text}: ${line.text}`])),
        );
      }
    }
    expect(complaints.join('\n')).toBe('');
  });
});

function memo(filters: Map<string, Filter>, run: Run, make: () => Filter): Filter {
  const filter = filters.get(run.name) ?? make();
  filters.set(run.name, filter);
  return filter;
}

/** With every expression tried: exactly one must match, and give what is annotated. */
function complaint({ expected }: Sample, filter: Filter, line: LogLine, way: string): string | undefined {
  const { hits } = filter.examine(line, now);
  const [hit] = hits;
  if (!expected?.match) return hit && `matched (${hit.id}) when it should not`;
  if (!hit || hits.length > 1) return `${hits.length} matches`;
  if (hit.id !== expected['host']) return `the address is ${hit.id}`;
  const user = expected['user'];
  if (user !== undefined && hit.fields['user'] !== user) return `the user is ${String(hit.fields['user'])}`;
  const time = new Date(expected.time && way === 'as the container wrote it' ? expected.time : now);
  return hit.time === time.getTime() || (!expected.time && way === 'as the container wrote it')
    ? undefined
    : `the time is ${new Date(hit.time).toISOString()}`;
}

/** As the daemon runs it. */
function differently({ expected }: Sample, filter: Filter, line: LogLine): string | undefined {
  const ids = filter.process(line, now).map(({ id }) => id);
  const wanted = expected?.match ? [expected['host']] : [];
  return JSON.stringify(ids) === JSON.stringify(wanted)
    ? undefined
    : `the daemon finds ${JSON.stringify(ids)}`;
}
