import { forwardEntry, hasLiveJump, ownChain } from '../../firewall/iptables/filter-table.ts';
import type { CountedTable } from './counted-table.ts';
import { ruleWords } from './rule-words.ts';

/** A rule that packets meet before ours, and that can keep them from ours. */
export interface RuleBefore {
  readonly chain: string;
  /** As `iptables-save` writes it, without `-A CHAIN`. */
  readonly rule: string;
  /** How many packets it has matched. For a jump, not all of them were accepted there. */
  readonly packets: number;
  /** Whether whatever it matches is let through. Of a jump, that depends on the rules there. */
  readonly isFinal: boolean;
  /** Whether it lets every packet through. */
  readonly isUnconditional: boolean;
  /** Which jump it stands before: Docker's, or ours. */
  readonly before: 'DOCKER-USER' | 'DOCK2BAN';
}

/** By which way packets come to our chain. */
export type Path = 'INPUT' | 'FORWARD';

/** The rules before ours, on a way that leads to ours; undefined: it doesn't lead there. */
export function rulesBefore(table: CountedTable, path: Path): readonly RuleBefore[] | undefined {
  const steps = path === 'FORWARD' && hasLiveJump(table.rules) ? ['FORWARD', 'DOCKER-USER'] : [path];
  const found: RuleBefore[] = [];
  for (const [i, chain] of steps.entries()) {
    const next = i + 1 < steps.length ? 'DOCKER-USER' : ownChain;
    const rules = table.rules.get(chain) ?? [];
    const end = rules.indexOf(`-j ${next}`);
    if (end < 0) return undefined;
    for (const [at, rule] of rules.slice(0, end).entries()) {
      if (!divertsAtEntry(table, rule)) continue;
      const { target, conditions } = ruleWords(rule);
      const isFinal = target === 'ACCEPT' || target === 'RETURN';
      found.push({
        chain,
        rule,
        packets: table.packets.get(chain)?.[at] ?? 0,
        isFinal,
        isUnconditional: isFinal && conditions.length === 0,
        before: next,
      });
    }
  }
  return found;
}

/** How many packets have crossed our rules on a way, since the jump there was written; undefined: it doesn't lead there. */
export function packetsAcross(table: CountedTable, path: Path): number | undefined {
  const entry = path === 'INPUT' ? path : forwardEntry(table.rules);
  const at = (table.rules.get(entry) ?? []).indexOf(`-j ${ownChain}`);
  if (at < 0) return undefined;
  return table.packets.get(entry)?.[at] ?? 0;
}

/** A rule of an entry chain: what accepts ends the way, and so does what returns or doesn't come back. */
function divertsAtEntry(table: CountedTable, rule: string): boolean {
  const { target, isGoto } = ruleWords(rule);
  if (target === undefined) return false;
  return target === 'RETURN' || isGoto || accepts(table, target, new Set());
}

/** Whether a target, or a chain somewhere below, lets packets through for good. Queues leave that to a program. */
function accepts(table: CountedTable, target: string, seen: Set<string>): boolean {
  if (target === 'ACCEPT' || target === 'QUEUE' || target === 'NFQUEUE') return true;
  if (seen.has(target)) return false;
  seen.add(target);
  return (table.rules.get(target) ?? []).some((rule) => {
    const next = ruleWords(rule).target;
    return next !== undefined && accepts(table, next, seen);
  });
}
