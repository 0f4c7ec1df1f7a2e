import { describe, expect, it } from 'vitest';
import { DockerLogStream } from '../../../src/sources/docker/log-stream.ts';
import { DockerProgress } from '../../../src/sources/docker/progress.ts';
import { journalLine } from '../../../src/sources/journal/line.ts';
import { SyslogClock } from '../../../src/sources/syslog/clock.ts';
import { readSyslogLines } from '../../../src/sources/syslog/follow-syslog-file.ts';
import { findMessageHeader, receivedLine } from '../../../src/sources/syslog/message.ts';
import { encode } from './fake-container-log.ts';

const clock = new SyslogClock(() => Date.UTC(2026, 10, 22, 14));

describe('the stream that a line came from', () => {
  it.each([
    [false, ['stdout', 'stderr']],
    [true, [undefined, undefined]],
  ])("stands in the frames of Docker's log API (terminal: %s)", (tty, streams) => {
    const stream = new DockerLogStream(tty, DockerProgress.from({ seconds: 0, nanos: 0 }));
    const frames = ([1, 2] as const).map((from) => encode({ stream: from, time: 1n, text: 'x\n' }, tty));
    expect(stream.accept(Buffer.concat(frames))?.lines.map((line) => line.stream)).toEqual(streams);
  });

  it.each([
    ['<30>', 'stdout'],
    ['<27>', 'stderr'],
    // Another facility.
    ['<134>', 'stdout'],
    ['<131>', 'stderr'],
    ['<29>', undefined],
    ['', undefined],
  ])("is told by the priority %j of Docker's syslog driver", (priority, stream) => {
    const text = `${priority}Nov 22 13:44:53 web1 nginx[1]: GET /`;
    expect(readSyslogLines(`${text}\n`, () => true, clock)[0]!.line.stream).toBe(stream);
    const received = receivedLine(text, findMessageHeader(text)!, { clock, hostname: 'here', received: 0 });
    expect(received!.line.stream).toBe(stream);
  });

  it.each([
    ['6', 'f00', 'stdout'],
    ['3', 'f00', 'stderr'],
    ['5', 'f00', undefined],
    ['6', undefined, undefined],
  ])("is told by the priority %s of Docker's journald driver (container %s)", (priority, id, stream) => {
    const fields = new Map([['PRIORITY', [priority]]]);
    if (id !== undefined) fields.set('CONTAINER_ID_FULL', [id]);
    expect(journalLine({ cursor: 'c', received: 0, fields }, { text: 'x', cut: undefined }).line.stream).toBe(
      stream,
    );
  });
});
