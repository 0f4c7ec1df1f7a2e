import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StoreEvent } from '../../src/store/database-keeper.ts';
import { Store } from '../../src/store/store.ts';
import type { StoredBan } from '../../src/store/stored-ban.ts';

/** Parts for `store-disk.test.ts`, to be run where mounts are nobody else's. Prints what happened as JSON. */
const [part = '', dir = ''] = process.argv.slice(2);
const now = Date.now();
const events: string[] = [];

function open(): Store {
  const report = (event: StoreEvent): void => {
    events.push('error' in event ? `${event.kind} ${event.error.code}` : event.kind);
  };
  return new Store({ stateDir: dir, purgeAge: 86_400, active: () => [], report, clock: () => now });
}

function ban(ip: string, lines: readonly string[] = ['a line']): StoredBan {
  const until = now + 600_000;
  return { jail: 'sshd', ip, since: now, until, count: 1, failures: 5, container: 'web', lines };
}

const addresses = (store: Store): string[] => [...store.bans(now)].map(({ ip }) => ip).toSorted();

function fill(): void {
  const { bavail, bsize } = statfsSync(dir);
  writeFileSync(join(dir, 'filler'), Buffer.alloc(bavail * bsize));
}

const parts: Record<string, () => unknown> = {
  full() {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', dir]);
    const store = open();
    store.put(ban('203.0.113.9'));
    store.flush();
    fill();
    for (let i = 0; i < 4000; i++) store.put(ban(`10.0.${i >> 8}.${i & 255}`, ['x'.repeat(200)]));
    store.positions.set('log', 'end');
    store.flush();
    const whileFull = {
      stored: store.flush(),
      bans: addresses(store).length,
      count: store.history.count('10.0.0.1', 'sshd', now),
    };
    rmSync(join(dir, 'filler'));
    const after = { stored: store.flush(), waiting: store.status.waiting };
    store.close();
    const again = open();
    const restored = addresses(again).length;
    const positions = again.positions.get('log');
    again.close();
    const db = new DatabaseSync(store.path);
    const integrity = db.prepare('PRAGMA integrity_check').get()?.['integrity_check'];
    return { events, whileFull, after, restored, positions, integrity };
  },
  'full-at-start'() {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]);
    fill();
    const store = open();
    store.put(ban('203.0.113.9'));
    store.flush();
    const { waiting } = store.status;
    rmSync(join(dir, 'filler'));
    store.flush();
    store.close();
    return { events, waiting, restored: addresses(open()) };
  },
  'read-only-closed': () => readOnly((store) => store.close()),
  'read-only-crashed'() {
    if (process.argv[4] === 'crash') readOnly(() => process.kill(process.pid, 'SIGKILL'));
    spawnSync(process.execPath, [process.argv[1]!, part, dir, 'crash']);
    return readOnly();
  },
};

/** @param end what becomes of the process that wrote; undefined: it has gone before */
function readOnly(end?: (store: Store) => void): unknown {
  if (end) {
    const store = open();
    store.put({ ...ban('203.0.113.1'), count: 2 });
    store.put(ban('203.0.113.2'));
    store.flush();
    end(store);
  }
  execFileSync('mount', ['--bind', dir, dir]);
  execFileSync('mount', ['-o', 'remount,ro,bind', dir]);
  const store = open();
  const restored = addresses(store);
  const count = store.history.count('203.0.113.1', 'sshd', now);
  store.put(ban('203.0.113.3'));
  store.remove('sshd', '203.0.113.1');
  store.flush();
  const whileReadOnly = addresses(store);
  execFileSync('mount', ['-o', 'remount,rw,bind', dir]);
  const stored = store.flush();
  store.close();
  return { events, restored, count, whileReadOnly, stored, afterwards: addresses(open()) };
}

process.stdout.write(JSON.stringify(parts[part]!()));
