import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { StoreEvent } from '../../src/store/database-keeper.ts';
import { Store, type StoreOptions } from '../../src/store/store.ts';
import type { StoredBan } from '../../src/store/stored-ban.ts';

/** 2026-11-22 13:44:53 UTC. */
export const start = 1_795_355_093_000;
export const minute = 60_000;
export const hour = 60 * minute;

/** A directory that is gone after the test. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'dock2ban-store-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A store whose reports are collected, and that is closed after the test. */
export function openStore(
  stateDir: string,
  options: Partial<StoreOptions> = {},
): { store: Store; events: StoreEvent[] } {
  const events: StoreEvent[] = [];
  const store = new Store({
    stateDir,
    purgeAge: 86_400,
    active: () => [],
    report: (event) => events.push(event),
    clock: () => start,
    ...options,
  });
  onTestFinished(() => store.close());
  return { store, events };
}

export function ban(ip: string, more: Partial<StoredBan> = {}): StoredBan {
  return {
    jail: 'sshd',
    ip,
    since: start,
    until: start + 10 * minute,
    count: 1,
    failures: 5,
    container: 'web',
    lines: [`Failed password for root from ${ip} port 22 ssh2`],
    ...more,
  };
}

/** The same without its lines, as `Store.bans` tells it. */
export function bare({ jail, ip, since, until, count, failures, container }: StoredBan) {
  return { jail, ip, since, until, count, failures, container };
}

/** What was reported, in short. */
export function told(events: readonly StoreEvent[]): string[] {
  return events.map((event) => ('error' in event ? `${event.kind} ${event.error.code}` : event.kind));
}
