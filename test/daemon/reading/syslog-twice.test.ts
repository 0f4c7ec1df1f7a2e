import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { idOf } from '../../docker/fake-engine.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

it('a line that reaches a jail by its logpath and as its container’s, too, counts once', async () => {
  const daemon = new LiveDaemon();
  onTestFinished(() => daemon.end());
  const syslog = join(daemon.folder, 'syslog');
  // As it was written for fail2ban, which knows the service by what syslog has of it.
  daemon.config(
    'jail.local',
    `[web]\nenabled = true\nfilter =\nfailregex = ^.* bad <HOST>$\nlogpath = ${syslog}\nport = 80\nmaxretry = 50\n`,
  );
  const web = {
    id: idOf('a1'),
    name: 'web',
    labels: { 'fail2ban.jail': 'web' },
    logDriver: 'syslog',
    logOptions: { tag: 'web' },
    ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] },
  };
  await daemon.start([web]);
  const log = (program: string, ip: string): void => {
    const time = new Date();
    const date = `${time.toString().slice(4, 7)} ${String(time.getDate()).padStart(2)} ${time.toTimeString().slice(0, 8)}`;
    appendFileSync(syslog, `${date} host ${program}[7]: bad ${ip}\n`);
  };
  const found = (): string[] =>
    daemon
      .of('found')
      .map(({ ip, container }) => `${String(ip)} ${String(container)}`)
      .toSorted();
  for (const ip of ['203.0.113.1', '203.0.113.2']) log('web', ip);
  // Another service under the same jail, which only the logpath knows.
  for (const ip of ['203.0.113.3', '203.0.113.4']) log('web-admin', ip);
  log('web', '203.0.113.5');
  const once = [
    '203.0.113.1 web',
    '203.0.113.2 web',
    '203.0.113.3 undefined',
    '203.0.113.4 undefined',
    '203.0.113.5 web',
  ];
  await vi.waitFor(() => expect(found()).toEqual(expect.arrayContaining(once)), { timeout: 10_000 });
  expect(daemon.control.jail('web')).toMatchObject({ totalFailed: 5, currentlyFailed: 5 });

  // Without the label it is the logpath's again.
  daemon.engine.containers = [];
  await daemon.engine.emit('{}');
  await daemon.sees('jail-changed', { jail: 'web' });
  log('web', '203.0.113.6');
  await daemon.sees('found', { ip: '203.0.113.6' });
  expect(found()).toEqual([...once, '203.0.113.6 undefined']);
});
