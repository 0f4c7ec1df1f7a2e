import { expect, it } from 'vitest';
import { readSyslogLines } from '../../src/sources/syslog-file.ts';
import { SyslogClock } from '../../src/sources/syslog-clock.ts';

const now = new Date(2026, 10, 22, 14).getTime();
const line = 'app.example.com 198.51.100.66 - - [22/Nov/2026:13:44:53 +0000] "GET /x HTTP/1.1" 404';

function texts(message: string): string[] {
  const text = `Nov 22 13:44:53 host nginx-proxy[1]: ${message}\n`;
  return readSyslogLines(text, () => true, new SyslogClock(() => now)).map(({ line: { text: one } }) => one);
}

it.each([
  [`message repeated 3 times: [${line}]`, Array<string>(3).fill(line)],
  [`message repeated 3 times: [ ${line}]`, Array<string>(3).fill(line)],
  [`message repeated 999999999 times: [${line}]`, Array<string>(1000).fill(line)],
  [`message repeated 0 times: [${line}]`, []],
  // No sum of rsyslog's: taken as it stands.
  [`message repeated 3 times: ${line}`, [`message repeated 3 times: ${line}`]],
  [`message repeated -3 times: [${line}]`, [`message repeated -3 times: [${line}]`]],
  [`${line} message repeated 3 times: [x]`, [`${line} message repeated 3 times: [x]`]],
])('%.40s…', (message, expected) => {
  expect(texts(message)).toEqual(expected.map((text) => ` host nginx-proxy[1]: ${text}`));
});
