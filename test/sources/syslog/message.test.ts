import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SyslogClock } from '../../../src/sources/syslog/clock.ts';
import { findMessageHeader, messageText, receivedLine } from '../../../src/sources/syslog/message.ts';

const now = new Date(2026, 10, 22, 14).getTime();
const at = new Date(2026, 10, 22, 13, 44, 53).getTime();

function read(text: string) {
  const header = findMessageHeader(text);
  const clock = new SyslogClock(() => now);
  return header && receivedLine(text, header, { clock, hostname: 'here', received: now });
}

describe('the header of a syslog message', () => {
  it.each([
    // Docker's syslog driver: default format, rfc3164, rfc5424, rfc5424micro.
    ['<30>Nov 22 13:44:53 nginx-proxy[812]: GET /a', ' here nginx-proxy[812]: ', at],
    ['<30>Nov 22 13:44:53 web1 nginx-proxy[812]: GET /a', ' web1 nginx-proxy[812]: ', at],
    [
      '<30>1 2026-11-22T13:44:53Z web1 nginx-proxy 812 nginx-proxy - GET /a',
      ' web1 nginx-proxy[812]: ',
      Date.UTC(2026, 10, 22, 13, 44, 53),
    ],
    [
      '<30>1 2026-11-22T13:44:53.123456+02:00 web1 nginx-proxy 812 nginx-proxy - GET /a',
      ' web1 nginx-proxy[812]: ',
      Date.UTC(2026, 10, 22, 11, 44, 53, 123),
    ],
    // srslog's own, syslog daemons that forward, logger, RFC 5424's examples.
    [
      '<30> 2026-11-22T13:44:53Z web1 nginx-proxy[812]: GET /a',
      ' web1 nginx-proxy[812]: ',
      Date.UTC(2026, 10, 22, 13, 44, 53),
    ],
    [
      '<30>2026-11-22T13:44:53+00:00 web1 nginx-proxy: GET /a',
      ' web1 nginx-proxy: ',
      Date.UTC(2026, 10, 22, 13, 44, 53),
    ],
    ['<30>nginx-proxy: GET /a', ' here nginx-proxy: ', now],
    ['Nov 22 13:44:53 web1 nginx-proxy: GET /a', ' web1 nginx-proxy: ', at],
    ['<165>1 - - nginx-proxy - - - GET /a', ' here nginx-proxy: ', now],
    [
      String.raw`<165>1 - web1 nginx-proxy - ID [x@1 a="1 \"] b\\"][y b="]"] GET /a`,
      ' web1 nginx-proxy: ',
      now,
    ],
    ['<165>1 - web1 nginx-proxy - ID [x@1] \ufeffGET /a', ' web1 nginx-proxy: ', now],
  ])('%s', (text, lead, time) => {
    expect(read(text)).toEqual({
      program: 'nginx-proxy',
      messageStart: lead.length,
      line: {
        text: `${lead}GET /a`,
        time,
        dateRemoved: true,
        stream: text.startsWith('<30>') ? 'stdout' : undefined,
      },
    });
  });

  it.each([
    ['', 'nothing'],
    ['GET /a', 'no header'],
    ['<30>', 'nothing behind the priority'],
    ['<30>Nov 22 13:44:53', 'nothing behind the date'],
    ['<30>Nov 22 13:44:53 web1 nginx-proxy GET /a', 'a tag without its colon'],
    ['<30>Nov 22 13:44:53  nginx-proxy: GET /a', 'an empty host'],
    ['<30>Nov 22 13:44:53 : GET /a', 'an empty tag'],
    ['<30>Nov 42 13:44:53 web1 nginx-proxy: GET /a', 'no date of the calendar'],
    ['<30>1 2026-11-22T13:44:53Z web1 nginx-proxy 1 -', 'no structured data'],
    ['<30>1 - web1 nginx-proxy 1 - [x a="1" GET /a', 'structured data without end'],
    ['<30>1 - web1 nginx-proxy 1 - [x]GET /a', 'no space behind structured data'],
    ['<30>1 - web1 - 1 - - nginx-proxy: GET /a', 'no program'],
    ['<30>1 99 web1 nginx-proxy 1 - - GET /a', 'no timestamp of the standard'],
  ])('%j: none (%s)', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it('believes no sum: whoever sends could write one', () => {
    const text = '<30>Nov 22 13:44:53 web1 app[1]: message repeated 3 times: [ GET /a]';
    const line = { text: ' web1 app[1]: message repeated 3 times: [ GET /a]' };
    expect(read(text)).toMatchObject({ line });
    expect(read(text)).not.toHaveProperty('times');
  });

  it('shows newlines within a message, and drops the end of line that senders add', () => {
    expect(messageText(Buffer.from('<30>a: b\n<30>c: d\r\n\0'))).toBe(String.raw`<30>a: b\n<30>c: d`);
  });
});

const word = fc.stringMatching(/^[!-9;-~]{1,20}$/).filter((text) => !text.endsWith(']') && text !== '-');
const headers = fc
  .record({ host: word, pid: fc.nat(99_999), form: fc.nat(4) })
  .map(({ host, pid, form }): ((program: string) => string) => {
    const forms = [
      (program: string) => `<30>Nov 22 13:44:53 ${program}[${pid}]: `,
      (program: string) => `<30>Nov 22 13:44:53 ${host} ${program}[${pid}]: `,
      (program: string) => `<30>1 2026-11-22T13:44:53Z ${host} ${program} ${pid} ${program} - `,
      (program: string) => `<30> 2026-11-22T13:44:53Z ${host} ${program}[${pid}]: `,
      (program: string) => `<30>${program}[${pid}]: `,
    ];
    return forms[form]!;
  });
const forged = fc.constantFrom(
  '<30>Nov 22 13:44:53 victim[1]: ',
  'victim[1]: ',
  ' victim: ',
  'Nov 22 13:44:53 host victim[1]: ',
  '] victim: ',
  'bcd:ef:ghi victim: ',
  '1 2026-11-22T13:44:53Z host victim 1 victim - ',
);
const messages = fc
  .tuple(fc.array(fc.oneof(forged, fc.string({ unit: 'binary' })), { maxLength: 4 }))
  .map(([parts]) => parts.join(''));

describe('any message', () => {
  it('changes neither its program nor the place where it begins', () => {
    fc.assert(
      fc.property(headers, word, messages, (header, program, message) => {
        const whole = header(program) + message;
        const found = findMessageHeader(whole);
        expect(found?.program).toBe(program);
        // A byte order mark in front of a message is none of it.
        expect(whole.slice(found?.messageStart).replace(/^\ufeff/, '')).toBe(message.replace(/^\ufeff/, ''));
      }),
      { numRuns: 3000 },
    );
  });

  it('never throws, whatever the bytes', () => {
    const pieces = fc.oneof(
      forged,
      fc.string({ unit: 'binary' }),
      fc.constantFrom('<', '>', '[', '"', '\\', ' ', '<13>1 - - a - - ['),
    );
    fc.assert(
      fc.property(fc.array(pieces), (parts) => {
        expect(() => read(messageText(Buffer.from(parts.join(''), 'utf8')))).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });
});
