import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Jail } from '../../../src/jail/jail.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

let daemon: LiveDaemon;

beforeEach(() => {
  daemon = new LiveDaemon();
});

afterEach(async () => {
  await daemon.end();
});

it.each([
  ['a bantime beyond all dates', 'bantime = 300000y'],
  ['one beyond all whole numbers', 'bantime = 9**300'],
  ['one that grows beyond', 'bantime = 200000y\nbantime.increment = true\nbantime.factor = 1000000'],
])('%s bans for ever, and everything goes on', async (_, options) => {
  daemon.config(
    'jail.local',
    `${daemon.section('far', `maxretry = 1\n${options}`)}\n${daemon.section('app', 'maxretry = 1')}`,
  );
  await daemon.start();
  daemon.fail('far', '203.0.113.9');
  await daemon.sees('ban', { jail: 'far', ip: '203.0.113.9', bantime: -1, until: null });
  daemon.fail('app', '203.0.113.10');
  await daemon.sees('ban', { jail: 'app', ip: '203.0.113.10' });
  await daemon.control.ban('far', ['198.51.100.1']);
  expect(daemon.of('ban').filter(({ jail }) => jail === 'far')).toHaveLength(2);
  expect(daemon.control.jail('far')!.banned).toMatchObject([{ until: null }, { until: null }]);
  expect(daemon.control.views.why('203.0.113.9').jails).toMatchObject([{ bans: [{ until: null }] }]);
  const exported = [...daemon.control.views.export()].join('');
  expect(JSON.parse(exported).bans).toHaveLength(3);
});

it('bans beyond what a jail holds are lifted with one event, and stay lifted and remembered', async () => {
  daemon.config('jail.local', daemon.section('app'));
  await daemon.start();
  await daemon.control.ban('app', ['203.0.113.1', '203.0.113.2']);
  vi.spyOn(Jail.prototype, 'shed').mockImplementationOnce(function shedOne(this: Jail) {
    return [this.unban('203.0.113.1')!];
  });
  await daemon.sees('bans-shed', { jail: 'app', count: 1, left: 1 });
  await expect
    .poll(() => daemon.control.views.why('203.0.113.1').jails)
    .toMatchObject([{ bans: [], past: [{ ip: '203.0.113.1', count: 1 }] }]);
  expect(daemon.control.banned()).toEqual({ app: ['203.0.113.2'] });
});
