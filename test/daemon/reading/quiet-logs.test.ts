import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as timers from 'node:timers/promises';
import { afterEach, it, vi } from 'vitest';
import { idOf } from '../../docker/fake-engine.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

const hours = vi.hoisted(() => ({ passed: 0 }));

// An hour passes in a moment: the daemon does what it does every hour.
vi.mock('node:timers/promises', async (importOriginal) => {
  const real = await importOriginal<typeof timers>();
  const hour = 3_600_000;
  const setTimeout: typeof real.setTimeout = async (ms, ...more) => {
    if (ms === hour) hours.passed += 1;
    return real.setTimeout(ms === hour ? 5 : ms, ...more);
  };
  return { ...real, setTimeout };
});

const daemon = new LiveDaemon();

afterEach(() => daemon.end());

it('logs that are quiet for months are read on where reading ended', async () => {
  const container = {
    id: idOf('a1'),
    name: 'web',
    labels: { 'fail2ban.jail': 'web', 'fail2ban.filter': 'app', 'fail2ban.port': '80' },
    ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '80' }] },
    logDriver: 'syslog',
    logOptions: { tag: 'web' },
  };
  let ahead = 0;
  const clock = (): number => Date.now() + ahead;
  daemon.clock = clock;
  daemon.config('filter.d/app.conf', `[Definition]\nfailregex = ${daemon.failregex}\n`);
  const files = `logpath = ${daemon.logPath('app')} tail`;
  daemon.config('jail.local', `[app]\nenabled = true\nmaxretry = 2\nport = 8000\n${files}\n`);
  writeFileSync(daemon.logPath('app'), '');
  const log = (ip: string): void => {
    const time = new Date(clock()).toISOString();
    appendFileSync(daemon.logPath('app'), `${time} bad ${ip}\n`.repeat(9));
    appendFileSync(join(daemon.folder, 'syslog'), `${time} host web[1]: bad ${ip}\n`.repeat(9));
  };
  const expectBans = async (ip: string): Promise<void> => {
    for (const jail of ['app', 'web']) await daemon.sees('ban', { jail, ip });
  };
  await daemon.start([container]);
  log('203.0.113.1');
  await expectBans('203.0.113.1');
  for (let day = 0; day < 70; day += 1) {
    ahead += 86_400_000;
    const before = hours.passed;
    await vi.waitUntil(() => hours.passed >= before + 2, { timeout: 10_000, interval: 2 });
  }
  await daemon.stop();
  log('203.0.113.2');
  await daemon.engine.start();
  await daemon.begin();
  await expectBans('203.0.113.2');
}, 60_000);
