import { expect, it } from 'vitest';
import { readSyslogLines } from '../../../src/sources/syslog/follow-syslog-file.ts';
import { SyslogClock } from '../../../src/sources/syslog/clock.ts';

const now = new Date(2026, 10, 22, 14).getTime();
const line = 'app.example.com 198.51.100.66 - - [22/Nov/2026:13:44:53 +0000] "GET /x HTTP/1.1" 404';

function read(message: string): { text: string; times: number | undefined } {
  const text = `Nov 22 13:44:53 host nginx-proxy[1]: ${message}\n`;
  const [record] = readSyslogLines(text, () => true, new SyslogClock(() => now));
  return { text: record!.line.text, times: record!.times };
}

it.each([
  [`message repeated 3 times: [${line}]`, line, 3],
  [`message repeated 3 times: [ ${line}]`, line, 3],
  [`message repeated 0 times: [${line}]`, line, 0],
  // No sum of rsyslog's: taken as it stands.
  [`message repeated 3 times: ${line}`, `message repeated 3 times: ${line}`, undefined],
  [`message repeated -3 times: [${line}]`, `message repeated -3 times: [${line}]`, undefined],
  [`${line} message repeated 3 times: [x]`, `${line} message repeated 3 times: [x]`, undefined],
])('%.40s…', (message, text, times) => {
  expect(read(message)).toEqual({ text: ` host nginx-proxy[1]: ${text}`, times });
});
