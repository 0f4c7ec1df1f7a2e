import type { Family } from '../../net/address.ts';
import { FirewallError } from '../tool/errors.ts';
import {
  compareTable,
  forwardEntry,
  ownChain,
  removalScript,
  restoreScript,
  type FilterTable,
  type TableDifference,
} from './filter-table.ts';
import type { FirewallInfo, Repair, Shortfall } from '../firewall.ts';
import { probe, type FilterReading, type Sight } from './probe.ts';
import { variants, type IptablesTool, type Variant } from './tool.ts';

/** The rules that were last written for a family, and how the kernel's tool spells them. */
interface WrittenRules {
  readonly rules: readonly string[];
  readonly spelling: readonly string[];
}

/** Keeps our chain, its rules and the jumps to it in the filter tables. */
export class ChainKeeper {
  readonly #tables: IptablesTool;
  readonly #written = new Map<Family, WrittenRules>();
  #families: readonly Family[] = [];
  #sight: Sight | undefined;

  constructor(tables: IptablesTool) {
    this.#tables = tables;
  }

  get families(): readonly Family[] {
    return this.#families;
  }

  /** @throws FirewallError if no family's table can be read */
  async open(): Promise<void> {
    this.#families = await this.#tables.families();
    const { readings } = await this.#probe();
    const errors = [...readings.values()].filter((reading) => !isTable(reading));
    if (errors.length === readings.size) throw errors[0]!;
  }

  /** Variant and entry chains as last seen. */
  describe(): Pick<FirewallInfo, 'variant' | 'entry' | 'remarks'> {
    const entry = (family: Family): 'DOCKER-USER' | 'FORWARD' | undefined => {
      const reading = this.#sight?.readings.get(family);
      return reading && isTable(reading) ? forwardEntry(reading) : undefined;
    };
    const remarks = this.#sight ? [this.#sight.why] : [];
    if (!this.#families.includes(6))
      remarks.push('this kernel has no IPv6; bans are enforced over IPv4 only');
    return { variant: this.#sight?.variant, entry: { 4: entry(4), 6: entry(6) }, remarks };
  }

  /** @param rulesOf undefined: the family's rules can't be written (for a reason reported elsewhere) */
  async reconcile(
    rulesOf: (family: Family) => readonly string[] | undefined,
  ): Promise<{ repairs: Repair[]; shortfalls: Shortfall[] }> {
    const repairs: Repair[] = [];
    const shortfalls: Shortfall[] = [];
    const before = this.#sight?.variant;
    const { variant, readings, strays } = await this.#probe();
    // What the other variant lacks was never written there.
    if (variant !== before) this.#written.clear();
    for (const [family, reading] of readings) {
      const rules = rulesOf(family);
      if (rules === undefined) continue;
      try {
        repairs.push(...(await this.#apply(variant, family, reading, rules)));
      } catch (error) {
        if (!(error instanceof FirewallError)) throw error;
        const consequence = `bans are not enforced over IPv${family}`;
        shortfalls.push({ jail: undefined, family, consequence, error });
      }
    }
    // Only now, so that the bans hold all the while.
    if (shortfalls.length === 0) for (const stray of strays) await this.#remove(stray);
    return { repairs, shortfalls };
  }

  /** Removes our chain and jumps from every table of both variants. */
  async removeAll(): Promise<void> {
    for (const variant of variants) {
      for (const family of this.#families) {
        try {
          await this.#remove({ variant, family, table: await this.#tables.read(variant, family) });
        } catch (error) {
          // A variant that isn't installed holds nothing of ours.
          if (!(error instanceof FirewallError && error.code === 'firewall-missing-binary')) throw error;
        }
      }
    }
    this.#written.clear();
  }

  async #probe(): Promise<Sight> {
    this.#sight = await probe(this.#tables, this.#families, this.#sight?.variant);
    return this.#sight;
  }

  async #apply(
    variant: Variant,
    family: Family,
    reading: FilterReading,
    rules: readonly string[],
  ): Promise<Repair[]> {
    if (!isTable(reading)) throw reading;
    const written = this.#written.get(family);
    const lost = written && compareTable(reading, written.spelling);
    const spelling = written && isSame(written.rules, rules) ? written.spelling : rules;
    const difference = compareTable(reading, spelling);
    const script = restoreScript(reading, rules, difference);
    if (script === undefined) this.#written.set(family, { rules, spelling });
    else {
      await this.#restore(variant, family, script, rules);
      await this.#readBack(variant, family, rules);
    }
    return lost ? repairsOf(family, lost) : [];
  }

  /** Somebody may have changed the table since it was read: then once more, from what it is now. */
  async #restore(variant: Variant, family: Family, script: string, rules: readonly string[]): Promise<void> {
    try {
      await this.#tables.restore(variant, family, script);
    } catch (error) {
      if (!(error instanceof FirewallError) || !isPerhapsStale(error)) throw error;
      const table = await this.#tables.read(variant, family);
      const again = restoreScript(table, rules, compareTable(table, rules));
      if (again !== undefined) await this.#tables.restore(variant, family, again);
    }
  }

  /** Another version of iptables may spell our rules in another way; that must not look like a difference for ever. */
  async #readBack(variant: Variant, family: Family, rules: readonly string[]): Promise<void> {
    const spelling = (await this.#tables.read(variant, family)).get(ownChain);
    this.#written.set(family, { rules, spelling: spelling?.length === rules.length ? spelling : rules });
  }

  async #remove({ variant, family, table }: Sight['strays'][number]): Promise<void> {
    const script = removalScript(table);
    if (script !== undefined) await this.#tables.restore(variant, family, script);
  }
}

function isTable(reading: FilterReading): reading is FilterTable {
  return !(reading instanceof FirewallError);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((rule, i) => rule === b[i]);
}

/** iptables-legacy gives no reason (`line 2 failed`). */
function isPerhapsStale({ code }: FirewallError): boolean {
  return code === 'firewall-not-found' || code === 'firewall-failed';
}

function repairsOf(family: Family, { chain, jumps }: TableDifference): Repair[] {
  const repairs: Repair[] = [];
  if (chain === 'missing') repairs.push({ what: 'chain', family, detail: `chain ${ownChain} was missing` });
  if (chain === 'changed')
    repairs.push({ what: 'chain', family, detail: `chain ${ownChain} had been changed` });
  for (const jump of jumps) {
    const state = {
      missing: 'was missing',
      misplaced: 'was not first',
      unwanted: 'was no longer needed',
    }[jump.state];
    repairs.push({ what: 'jump', family, detail: `the jump from ${jump.chain} to ${ownChain} ${state}` });
  }
  return repairs;
}
