import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { DaemonProcess } from './daemon-process.ts';
import type { Sample } from './probe.ts';
import { growth } from './trend.ts';
import { Workload } from './workload.ts';

const minutes = Number(process.env['SOAK_MINUTES'] ?? 2.5);
/** Milliseconds. */
const roundEvery = 250;
const sampleEvery = 2_000;

/** What may come between the middle third of the time and the last, bytes and numbers. */
const allowed: Sample = { heap: 3e6, external: 3e6, resident: 12e6, handles: 12, files: 12 };

/** Far longer than it takes when all is well. */
const timeout = minutes * 60_000 * 2 + 120_000;

it('holds on to no more after hours than after minutes', { timeout }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dock2ban-soak-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const work = new Workload(folder);
  await work.begin();
  onTestFinished(() => work.end());
  const daemon = new DaemonProcess(folder, work.engine.socketPath);
  onTestFinished(async () => void (await daemon.stop()));
  await vi.waitFor(() => expect(daemon.count('ready')).toBe(1), { timeout: 60_000, interval: 50 });

  const samples: Sample[] = [];
  const end = performance.now() + minutes * 60_000;
  for (let next = 0; performance.now() < end;) {
    await work.round();
    if (performance.now() >= next) {
      samples.push(await daemon.sample());
      next = performance.now() + sampleEvery;
    }
    await delay(roundEvery);
  }
  // Every failure was counted, each once.
  await vi.waitFor(() => expect(daemon.found).toEqual(work.failures), {
    timeout: 30_000,
    interval: 100,
  });
  expect(await daemon.stop()).toBe(0);
  report(samples, daemon);

  expect(daemon.faults).toEqual([]);
  expect(daemon.count('ban')).toBeGreaterThan(minutes * 60);
  expect(daemon.count('unban')).toBeGreaterThan(minutes * 60);
  for (const name of ['heap', 'external', 'resident', 'handles', 'files'] as const) {
    const values = samples.map((sample) => sample[name]);
    expect(growth(values), `${name}: ${values.join(' ')}`).toBeLessThan(allowed[name]);
  }
});

function report(samples: readonly Sample[], daemon: DaemonProcess): void {
  const mb = (bytes = 0): string => (bytes / 1e6).toFixed(1);
  const at = [0, 1 / 3, 2 / 3, 1].map((part) => samples[Math.floor(part * (samples.length - 1))]);
  const line = at.map(
    (one) => `${mb(one?.resident)}/${mb(one?.heap)} MB, ${one?.handles} handles, ${one?.files} files`,
  );
  const events = [...daemon.events].map(([event, count]) => `${event} ${count}`).join(', ');
  process.stdout.write(
    `soak of ${minutes} minutes: resident/heap at the start, a third, two, the end: ${line.join('; ')}\n${events}\n`,
  );
}
