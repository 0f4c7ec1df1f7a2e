import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeContainer, idOf } from '../../docker/fake-engine.ts';
import { LiveDaemon } from './live-daemon.ts';

let daemon: LiveDaemon;

beforeEach(() => {
  daemon = new LiveDaemon();
});

afterEach(async () => daemon.end());

const labelled = (name: string, n: number, failregex: string): FakeContainer => ({
  id: idOf(`b${n}`),
  name,
  labels: { 'fail2ban.jail': name, 'fail2ban.failregex': failregex },
  ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: String(8100 + n) }] },
});

const warnings = () => daemon.events.filter(({ msg }) => msg.includes("a client may bring somebody else's"));

it('an expression that clients can forge, of a label or a filter of one’s own, is warned of once, and the jail runs', async () => {
  daemon.config('filter.d/own.conf', '[Definition]\nfailregex = bad .* <HOST>\n');
  daemon.config('filter.d/off.conf', '[Definition]\nfailregex = bad .* <HOST>\n');
  daemon.config(
    'jail.local',
    daemon.section('good') +
      `[own]\nenabled = true\nlogpath = ${daemon.logPath('own')}\nport = 8000\n[off]\nlogpath = /x\n`,
  );
  for (const name of ['good', 'own']) writeFileSync(daemon.logPath(name), '');
  const [web, app] = [labelled('web', 1, '^.* bad <HOST>'), labelled('app', 2, '^bad <HOST>$')];
  await daemon.start([web, app]);
  for (const jail of ['good', 'own', 'web', 'app']) await daemon.sees('jail-started', { jail });
  const fix = expect.stringContaining('begin it with ^');
  const expected = [
    { level: 40, jail: 'own', where: expect.stringContaining('filter.d/own.conf'), fix },
    { level: 40, jail: 'web', where: 'container web, label fail2ban.failregex=^.* bad <HOST>', fix },
  ];
  expect(warnings()).toMatchObject(expected);
  daemon.engine.containers = [web, app, labelled('late', 3, '^bad <HOST>$')];
  await daemon.engine.emit('{}');
  await daemon.sees('jail-started', { jail: 'late' });
  await daemon.control.live.reload(undefined);
  expect(warnings()).toHaveLength(2);
});
