import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../../test/lab/client.ts';
import type { RequestRecord } from '../../test/lab/client-protocol.ts';

/** Milliseconds between two requests of an attacker. */
const interval = 10;
/** Milliseconds after which an attacker gives up trying to be banned. */
const longest = 40_000;
/** The bad request that brings the ban. */
const maxRetry = 5;
/** Requests without an answer that end the attack; a single one may be a dropped packet. */
const enoughDropped = 3;
/** Milliseconds within which a ban that was felt must be found. */
const confirmWithin = 5000;

/** How one attack went. */
export interface Attack {
  /**
   * Milliseconds from the arrival of the fifth bad response to the sending of the first request of those that are
   * dropped; if there was no ban, to the last request. Below zero if the ban overtook the fifth response.
   */
  readonly latency: number;
  /** Whether the contender banned the attacker at all. */
  readonly isBanned: boolean;
  /** Requests that were sent after the fifth and answered. */
  readonly moreServed: number;
  /** When it was, epoch milliseconds: from the first request to the first dropped one, or the last. */
  readonly from: number;
  readonly until: number;
}

/**
 * Asks for a missing page every 10 ms until the client is shut out.
 *
 * @param bans whether the contender says that it bans this address
 */
export async function attack(
  attacker: Client,
  url: string,
  bans: (ip: string) => Promise<boolean>,
): Promise<Attack> {
  const records = await attacker.series(url, {
    host: 'app.example.com',
    intervalMs: interval,
    count: longest / interval,
    durationMs: longest,
    stopAfterFailures: enoughDropped,
  });
  const deadline = Date.now() + confirmWithin;
  let isBanned = await bans(attacker.ip4);
  while (!isBanned && Date.now() < deadline) {
    await delay(100);
    isBanned = await bans(attacker.ip4);
  }
  return evaluate(records, isBanned);
}

/** @param records in the order in which they were sent @throws if there were fewer than five bad responses */
export function evaluate(records: readonly RequestRecord[], isBanned: boolean): Attack {
  const answered = records.filter(({ outcome }) => typeof outcome === 'number');
  const fifth = answered.toSorted((a, b) => a.endedAt - b.endedAt)[maxRetry - 1];
  if (!fifth) throw new Error(`only ${answered.length} of ${records.length} bad requests were answered`);
  const lastAnswered = answered.at(-1)!;
  // One that is dropped before others are answered was lost on the way: no ban does that.
  const firstDropped = records.find(({ sentAt }) => sentAt > lastAnswered.sentAt);
  const isShutOut = isBanned && firstDropped !== undefined;
  const end = isShutOut ? firstDropped.sentAt : records.at(-1)!.sentAt;
  return {
    latency: end - fifth.endedAt,
    isBanned: isShutOut,
    moreServed: answered.filter(({ sentAt }) => sentAt > fifth.sentAt).length,
    from: records[0]!.sentAt,
    until: end,
  };
}
