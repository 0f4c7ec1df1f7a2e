import { setTimeout as delay } from 'node:timers/promises';
import type { Family } from '../../net/address.ts';
import { error, ok, untested, type Finding } from '../finding.ts';
import type { Passage, Passages, Meter } from './meter.ts';

export interface CrossingOptions {
  readonly meter: Meter;
  readonly families: readonly Family[];
  /** Those in which containers are reached. */
  readonly forwarded: readonly Family[];
  /** How long to wait for forwarded packets, in milliseconds. */
  readonly waitMs: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  readonly sendToSelf: (family: Family) => Promise<boolean>;
}

/** Milliseconds between two looks at the counters. */
const lookEvery = 250;

/**
 * Proves that packets cross our rules: those to the host by a packet of our own over loopback; those to containers by packets that come by
 * meanwhile, since this host can't send itself a packet that it would forward.
 */
export async function proveCrossing(options: CrossingOptions): Promise<Finding[]> {
  const input: Finding[] = [];
  for (const family of options.families) input.push(await proveInput(family, options));
  return [...input, ...(await proveForward(options))];
}

async function proveInput(family: Family, { meter, sendToSelf }: CrossingOptions): Promise<Finding> {
  const way = `INPUT ${family}` as const;
  const name = `IPv${family} to the host`;
  // Somebody may write the rules anew in between, and they count from 0 then.
  for (let tries = 0; tries < 2; tries += 1) {
    const before = (await meter.read()).get(way);
    if (!before) break;
    if (!(await sendToSelf(family)))
      return untested('enforcement', `${name}: the test packet over loopback did not come through`);
    const after = (await meter.read()).get(way);
    if (after && after.crossed > before.crossed) {
      return ok(
        'enforcement',
        `${name}: a test packet over loopback crossed dock2ban's rules (counters moved from ${before.crossed} to ${after.crossed})`,
      );
    }
    if (after?.crossed === before.crossed) {
      return error('enforcement', {
        what: `${name}: a test packet came through, but did not cross dock2ban's rules`,
        consequence:
          'bans do not hold for ports of the host itself, containers with network_mode: host, and docker-proxy',
        remedy:
          'see the findings about firewall and foreign rules; a running controller repairs its rules within 5 seconds',
      });
    }
  }
  return untested('enforcement', `${name}: no rule of dock2ban's counts packets there`);
}

async function proveForward({ meter, forwarded, waitMs, signal }: CrossingOptions): Promise<Finding[]> {
  const started = performance.now();
  const before = await meter.read();
  const pending = new Set(forwarded.filter((family) => before.has(`FORWARD ${family}`)));
  let now = before;
  while (!signal.aborted) {
    for (const family of pending) if (isMoved(before, now, family)) pending.delete(family);
    const left = waitMs - (performance.now() - started);
    if (pending.size === 0 || left <= 0) break;
    await delay(Math.min(lookEvery, left), undefined, { signal }).catch(() => undefined);
    now = await meter.read();
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  return forwarded.map((family) => {
    const [from, to] = [before.get(`FORWARD ${family}`), now.get(`FORWARD ${family}`)];
    return forwardFinding(family, from, to, seconds, meter.remembers);
  });
}

function isMoved(before: Passages, now: Passages, family: Family): boolean {
  const way = `FORWARD ${family}` as const;
  return (now.get(way)?.crossed ?? 0) > (before.get(way)?.crossed ?? 0);
}

/** What the counters of a way to containers tell. @param seconds between the two */
export function forwardFinding(
  family: Family,
  from: Passage | undefined,
  to: Passage | undefined,
  seconds: string,
  remembers: boolean,
): Finding {
  const name = `IPv${family} to containers`;
  const test = `open a published port from another machine while this runs: dock2ban doctor --wait 30`;
  if (!from || !to) return untested('enforcement', `${name}: no rule of dock2ban's counts packets there`);
  const moved = to.crossed - from.crossed;
  if (moved > 0)
    return ok('enforcement', `${name}: ${packets(moved)} crossed dock2ban's rules within ${seconds} s`);
  const diverted = to.diverted - from.diverted;
  if (diverted > 0) {
    return error('enforcement', {
      what: `${name}: ${packets(diverted)} within ${seconds} s were let through by rules before dock2ban's, and none crossed dock2ban's`,
      consequence: 'banned addresses get in that way',
      remedy: 'see the findings about foreign rules',
    });
  }
  if (remembers && to.crossed > 0) {
    return ok(
      'enforcement',
      `${name}: ${packets(to.crossed)} have crossed dock2ban's rules since they were written; none within ${seconds} s`,
    );
  }
  return untested(
    'enforcement',
    `${name}: no packet came by within ${seconds} s, so it is not proven that they cross dock2ban's rules`,
    test,
  );
}

function packets(count: number): string {
  return count === 1 ? '1 packet' : `${count} packets`;
}
