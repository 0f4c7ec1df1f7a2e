import { lastEnd } from '../../jail/ban-end.ts';
import type { Counting } from '../../store/counted.ts';
import type { Store } from '../../store/store.ts';
import type { Jail } from '../../jail/jail.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';

/** The jails' counts, in the form the store takes. */
export function countingOf(registry: Pick<JailRegistry, 'all'>): Counting {
  return {
    *changes() {
      for (const { name: jail, spec, failures: book } of registry.all.values()) {
        for (const [ip, failures] of book.changes()) {
          const until = Math.min((failures?.last ?? 0) + spec.findtime * 1000, lastEnd);
          yield { jail, ip, failures, until };
        }
      }
    },
    settle: () => {
      for (const { failures } of registry.all.values()) failures.settle();
    },
    unsettle: () => {
      for (const { failures } of registry.all.values()) failures.unsettle();
    },
  };
}

/** Takes over the counts of earlier runs, except of addresses that this run has counted. @param now epoch milliseconds */
export function restoreFailures(jail: Jail, store: Store, now: number): void {
  for (const [ip, failures] of store.failures(jail.name, now, jail.spec.findtime)) {
    if (!jail.ignores(ip)) jail.failures.restore(ip, failures);
  }
}
