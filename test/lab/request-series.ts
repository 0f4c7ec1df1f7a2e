import { setTimeout as delay } from 'node:timers/promises';
import type { Outcome, RequestRecord, SeriesOptions } from './client-protocol.ts';
import { HttpConnection } from './http-connection.ts';

/** Requests that may be under way at once when each has a connection of its own: bounds memory and ports. */
const mostUnderWay = 4096;

/** Epoch milliseconds, with fractions and never going back. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Sends requests at a fixed rate. A request that takes longer than the interval does not hold up the next one, as long as a connection is
 * free.
 *
 * @returns one record a request, in the order in which they were sent
 */
export async function runSeries(url: URL, options: SeriesOptions): Promise<RequestRecord[]> {
  const { count, intervalMs, timeoutMs = 1000, durationMs = 60_000, stopAfterFailures = Infinity } = options;
  const host = options.host ?? url.host;
  const path = url.pathname + url.search;
  const records: RequestRecord[] = [];
  const underWay = new Set<Promise<void>>();
  const idle: (HttpConnection | undefined)[] = Array.from({ length: options.connections ?? 0 });
  const keepsOpen = options.connections !== undefined;
  let failures = 0;

  async function request(index: number, kept: HttpConnection | undefined): Promise<void> {
    const sentAt = preciseNow();
    const usable = kept?.usable ? kept : await HttpConnection.open(url, timeoutMs);
    let outcome: Outcome;
    if (usable instanceof HttpConnection) {
      const left = Math.max(1, timeoutMs - (preciseNow() - sentAt));
      outcome = await usable.request(path, host, left);
      if (!keepsOpen) usable.close();
    } else outcome = usable;
    records[index] = { sentAt, endedAt: preciseNow(), outcome };
    if (typeof outcome !== 'number') failures += 1;
    if (keepsOpen) idle.push(usable instanceof HttpConnection ? usable : undefined);
  }

  const start = performance.now();
  let sent = 0;
  while (sent < count && failures < stopAfterFailures) {
    const elapsed = performance.now() - start;
    if (elapsed >= durationMs) break;
    const due = Math.min(count, Math.floor(elapsed / intervalMs) + 1);
    while (sent < due && (keepsOpen ? idle.length > 0 : underWay.size < mostUnderWay)) {
      const task = request(sent, idle.shift());
      underWay.add(task);
      void task.finally(() => underWay.delete(task));
      sent += 1;
    }
    const next = start + sent * intervalMs - performance.now();
    await (next >= 1 ? delay(next) : new Promise(setImmediate));
  }
  await Promise.all(underWay);
  for (const connection of idle) connection?.close();
  return records;
}
