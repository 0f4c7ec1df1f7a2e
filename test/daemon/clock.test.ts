import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import { loadConfigTree } from '../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../src/config/resolve.ts';
import { ClockSteps } from '../../src/daemon/enforcing/clock-steps.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import { engineConnector } from '../../src/docker/engine/engine-connector.ts';
import { DryRunFirewall } from '../../src/firewall/dry-run.ts';
import type { Ban } from '../../src/jail/ban.ts';
import { Store } from '../../src/store/store.ts';
import { FakeEngine } from '../docker/fake-engine.ts';

const builtinDir = fileURLToPath(new URL('../../filters', import.meta.url));
const hour = 3_600_000;

it('tells steps of the clock from its running', () => {
  let clock = 1_000_000;
  let uptime = 5000;
  const steps = new ClockSteps(
    () => clock,
    () => uptime,
  );
  const after = (ms: number, step = 0): number => {
    uptime += ms;
    clock += ms + step;
    return steps.look();
  };
  // A sleep of the machine, a slow clock, an hour ahead and back, half a second.
  expect([after(8 * hour), after(1000, -3), after(1000, hour), after(1000, -hour), after(1000, 500)]).toEqual(
    [0, 0, hour, -hour, 0],
  );
});

it.each([
  ['back', -hour],
  ['ahead', hour],
])(
  'an hour %s and back again: no ban is forgotten, none lasts longer',
  async (_, step) => {
    const folder = mkdtempSync(join(tmpdir(), 'dock2ban-clock-'));
    const engine = await new FakeEngine().start();
    mkdirSync(join(folder, 'fail2ban'));
    const log = join(folder, 'app.log');
    for (const name of ['syslog', 'app.log']) writeFileSync(join(folder, name), '');
    writeFileSync(
      join(folder, 'fail2ban/jail.local'),
      `[app]\nenabled = true\nfilter =\nfailregex = ^\\s*bad <HOST>$\nlogpath = ${log}\nmaxretry = 2\n`,
    );
    const tree = await loadConfigTree({ builtinDir, configDir: join(folder, 'fail2ban') });
    const events: { event: string; step?: number; ip?: string; failures?: number; level: number }[] = [];
    const enforced = new Map<string, Ban>();
    let ahead = 0;
    const clock = (): number => Date.now() + ahead;
    const stateDir = join(folder, 'state');
    const open = (hooks: Partial<ConstructorParameters<typeof Store>[0]> = {}): Store =>
      new Store({ stateDir, purgeAge: 86_400, active: () => [], report: () => undefined, clock, ...hooks });
    const daemon = new Daemon({
      version: '0.0.0',
      logger: pino({ level: 'info' }, { write: (line: string) => void events.push(JSON.parse(line)) }),
      connectDocker: engineConnector(`unix://${engine.socketPath}`),
      createFirewall: (neverBan) => {
        const firewall = new DryRunFirewall({ neverBan, report: () => undefined });
        vi.spyOn(firewall, 'ban').mockImplementation(async (bans) => {
          for (const ban of bans) enforced.set(ban.ip, ban);
          return [];
        });
        return firewall;
      },
      resolve: ({ containers }) => resolveJails({ tree, containers, compileFilter: () => undefined }),
      openStore: open,
      syslogFile: join(folder, 'syslog'),
      clock,
      uptime: () => performance.now(),
    });
    const fail = (): void => appendFileSync(log, `${new Date(clock()).toISOString()} bad 203.0.113.9\n`);
    const end = new AbortController();
    const done = daemon.run(end.signal);
    onTestFinished(async () => {
      await engine.stop();
      rmSync(folder, { recursive: true });
    });
    const sees = async (fields: object, times = 1): Promise<void> =>
      vi.waitFor(
        () =>
          expect(
            events.filter((event) => expect.objectContaining(fields).asymmetricMatch(event)),
          ).toHaveLength(times),
        { timeout: 10_000, interval: 10 },
      );
    await sees({ event: 'ready' });
    const control = daemon.control();
    await control.ban('app', ['198.51.100.66', '2001:db8::/64']);
    fail();
    await sees({ event: 'found', ip: '203.0.113.9' });
    const left = (): number[] => control.jail('app')!.banned.map(({ until }) => Date.parse(until!) - clock());
    const before = left();
    const startedAt = Date.now();
    for (const by of [step, -step]) {
      ahead += by;
      await sees({ event: 'clock-set', step: by / 1000 });
      const elapsed = Date.now() - startedAt;
      expect(left()).toHaveLength(2);
      for (const [index, ms] of left().entries())
        expect(Math.abs(before[index]! - elapsed - ms)).toBeLessThan(3000);
      await vi.waitFor(
        () => {
          for (const ban of enforced.values())
            expect(Math.abs(ban.until! - clock() - left()[0]!)).toBeLessThan(3000);
        },
        { timeout: 10_000 },
      );
      // The failures that were counted count on, for no longer than before.
      expect(control.jail('app')!.currentlyFailed).toBe(1);
    }
    fail();
    await sees({ event: 'ban', ip: '203.0.113.9', failures: 2 });
    expect(events.filter(({ level, event }) => level > 30 && event !== 'clock-set')).toEqual([]);
    end.abort();
    await done;
    await daemon.stop(false);
    const store = open();
    const stored = [...store.bans(clock())].map(({ until }) => until! - clock());
    expect(stored).toHaveLength(3);
    for (const ms of stored) expect(ms).toBeGreaterThan(500_000);
    for (const ms of stored) expect(ms).toBeLessThan(600_001);
    store.close();
  },
  40_000,
);
