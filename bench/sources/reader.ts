// Reads log files as the daemon does: `node reader.ts CONFIG-DIR`, which has the jails. Tells its parent when it follows them, how many bytes
// it has read, and, when the last line has come, what was counted and what that took.
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { loadConfigTree } from '../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../src/config/resolve.ts';
import { Judge } from '../../src/daemon/judging/judge.ts';
import { eventLog } from '../../src/daemon/events/event-log.ts';
import { JailRegistry } from '../../src/jail/jail-registry.ts';
import { LogFiles } from '../../src/daemon/reading/log-files.ts';
import { Recidive } from '../../src/daemon/judging/recidive.ts';
import type { Bans } from '../../src/daemon/enforcing/bans.ts';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { parsePosition } from '../../src/sources/file/file-position.ts';
import { Jail } from '../../src/jail/jail.ts';
import { Store } from '../../src/store/store.ts';
import { lastClient } from './log.ts';

/** From the reader to its parent. */
export type Message =
  | { readonly type: 'following'; readonly files: number }
  | { readonly type: 'read'; readonly bytes: number }
  | { readonly type: 'idle'; readonly cpu: number }
  | {
      readonly type: 'done';
      readonly failures: Readonly<Record<string, number>>;
      /** Of all threads, seconds. */
      readonly cpu: number;
      readonly seconds: number;
      /** MB. */
      readonly memory: number;
    };

if (import.meta.main) {
  const [configDir = '', stateDir = ''] = process.argv.slice(2);
  const tell = (message: Message): void => void process.send!(message);
  boundBacktracking();
  const builtinDir = fileURLToPath(new URL('../../filters', import.meta.url));
  const tree = await loadConfigTree({ builtinDir, configDir });
  const { jails, problems } = resolveJails({ tree, containers: [], compileFilter: () => undefined });
  for (const { message } of problems) console.error(message);
  const registry = new JailRegistry();
  const events = eventLog(pino(pino.destination('/dev/null')));
  const store = new Store({
    stateDir,
    purgeAge: 86_400,
    active: () => [],
    report: (event) => console.error(event),
    clock: Date.now,
  });
  await registry.apply(jails, {
    compile: (spec) => compileFilter(spec.filter, { findtime: spec.findtime }),
    newJail: (spec) => new Jail(spec, store.history),
  });
  // As the daemon's, but bans don't reach any kernel.
  const bans: Pick<Bans, 'neverBan' | 'bringIntoForce'> = {
    neverBan: () => undefined,
    bringIntoForce: async () => [],
  };
  const recidive = new Recidive(registry, Date.now);
  const judge = new Judge({ bans: bans as Bans, recidive, store, events, clock: Date.now });
  const failures: Record<string, number> = {};
  let begun = 0;
  let cpu = process.cpuUsage();
  const counting: Pick<Judge, 'take'> = {
    take: (jail, found, container, live) => {
      judge.take(jail, found, container, live);
      failures[jail.name] = (failures[jail.name] ?? 0) + found.length;
      if (found.some(({ id }) => id === lastClient)) setImmediate(finish);
    },
  };
  const positions = {
    get: store.positions.get,
    set: (source: string, position: string): void => {
      if (begun === 0) [begun, cpu] = [performance.now(), process.cpuUsage()];
      store.positions.set(source, position);
      tell({ type: 'read', bytes: parsePosition(position)!.offset });
    },
  };
  const files = new LogFiles({
    events,
    judge: counting,
    clock: Date.now,
    positions,
    syslogFile: '/var/log/syslog',
  });
  await files.update(registry);
  const patterns = new Set(
    jails.flatMap(({ sources }) =>
      sources.flatMap((source) => (source.kind === 'file' ? source.pattern : [])),
    ),
  );
  setTimeout(() => {
    tell({ type: 'following', files: [...patterns].flatMap((pattern) => files.filesOf(pattern)).length });
  }, 1000);
  process.on('message', (seconds: number) => {
    const before = process.cpuUsage();
    setTimeout(
      () => tell({ type: 'idle', cpu: secondsOf(process.cpuUsage(before)) / seconds }),
      seconds * 1000,
    );
  });

  function finish(): void {
    const seconds = (performance.now() - begun) / 1000;
    const memory = process.memoryUsage().rss / 1e6;
    tell({ type: 'done', failures, cpu: secondsOf(process.cpuUsage(cpu)), seconds, memory });
    store.close();
    setImmediate(() => process.exit());
  }
}

function secondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6;
}
