import { isIPv6 } from 'node:net';
import type { Capture } from '../../filter/filter-regex.ts';
import type { Hit } from '../../filter/hit.ts';
import { PythonFloat, pythonRepr } from '../python-repr.ts';

/** The failures of one line, as lines of output. */
export type OutFormat = (hits: readonly Hit[]) => string[];

/**
 * What `--out` prints of each failure: `id`, `ip`, `msg` (the lines), `row` (a Python tuple), the name of a field, or a
 * text with tags: `<ip>`, `<fid>`, `<time>`, `<msg>`, `<F-USER>`, …; unknown tags stay.
 * @param now of the test, epoch milliseconds
 */
export function outFormat(what: string, now: number): OutFormat {
  switch (what) {
    case 'id':
    case 'fid':
      return (hits) => hits.map(({ id }) => idOf(id));
    case 'ip':
      return (hits) => hits.map(({ id, ip }) => ip ?? idOf(id));
    case 'msg':
      return (hits) => hits.flatMap(loggedLines);
    case 'row':
      return (hits) => hits.map((hit) => row(hit, now));
    default:
      if (what.includes('<')) return (hits) => hits.flatMap((hit) => filled(what, hit));
      return (hits) => hits.flatMap((hit) => fieldLines(what, hit));
  }
}

/** Fields by which sessions are led; fail2ban removes them on the way. */
const sessionFlags: ReadonlySet<string> = new Set(['nofail', 'mlfgained', 'mlfforget']);

/** @param now the time of lines without a date, which have none here */
function row(hit: Hit, now: number): string {
  const time = hit.time === now ? undefined : new PythonFloat(hit.time / 1000);
  return `[${pythonRepr(hit.id)},\t${pythonRepr(time)},\t${pythonRepr(dataOf(hit))}],`;
}

function dataOf({ fields, ip, users }: Hit): Map<string, unknown> {
  const data = new Map<string, unknown>(
    Object.entries(fields).filter(([name, value]) => value !== undefined || !sessionFlags.has(name)),
  );
  if (ip !== undefined) data.set('ip', ip);
  if (users) data.set('users', users);
  return data;
}

function fieldLines(name: string, hit: Hit): string[] {
  if (name === 'matches') return [pythonRepr(loggedLines(hit))];
  const value = dataOf(hit).get(name);
  return [typeof value === 'string' ? value : pythonRepr(value)];
}

/** With `<msg>`, one text for each line of the failure. */
function filled(template: string, hit: Hit): string[] {
  const lines = template.includes('<msg>') ? loggedLines(hit) : [''];
  return lines.map((line) =>
    template.replace(
      /<(F-[A-Z0-9_-]+|[a-z0-9-]+)>/g,
      (tag, name: string) => tagValue(name, hit, line) ?? tag,
    ),
  );
}

function tagValue(name: string, hit: Hit, line: string): string | undefined {
  const { id, ip, fields, time, lines } = hit;
  if (name.startsWith('F-')) return textOf(fields[name.slice(2).toLowerCase()]);
  const address = ip ?? idOf(id);
  switch (name) {
    case 'ip':
      return address;
    case 'fid':
      return idOf(id);
    case 'family':
      return isIPv6(address) ? 'inet6' : 'inet4';
    case 'time':
      return pythonRepr(new PythonFloat(time / 1000));
    case 'failures':
      return '0';
    case 'msg':
      return line;
    case 'matches':
      return lines.map(({ logged }) => logged).join('\n');
    default:
      return undefined;
  }
}

function loggedLines({ lines }: Hit): string[] {
  return lines.map(({ logged }) => logged);
}

function textOf(capture: Capture | undefined): string {
  return capture === undefined ? '' : typeof capture === 'string' ? capture : capture.join(' ');
}

function idOf(id: string | undefined): string {
  return id ?? 'None';
}
