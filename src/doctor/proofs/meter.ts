import type { Family } from '../../net/address.ts';
import { FirewallError } from '../../firewall/tool/errors.ts';
import type { Tools } from '../../firewall/tool/exec.ts';
import { IptablesTool } from '../../firewall/iptables/tool.ts';
import { parseListing, type Listing } from '../../firewall/nft/listing.ts';
import { isTable, meterTable, readCountedTable, type Standing } from '../facts/firewall-facts.ts';
import { hookOf, nftRules } from '../rules/nft-rules.ts';
import { packetsAcross, rulesBefore, type Path } from '../rules/rules-before.ts';

/** What a way to our rules has counted. */
export interface Passage {
  /** Packets that crossed our rules. */
  readonly crossed: number;
  /** Packets that rules before ours let through for good. */
  readonly diverted: number;
}

/** Ways that lead to our rules, `FORWARD 4`. */
export type Passages = ReadonlyMap<`${Path} ${Family}`, Passage>;

/** Passages packets that cross our rules. */
export interface Meter {
  /** Whether what it counts began before it was opened. */
  readonly remembers: boolean;
  read(): Promise<Passages>;
  /** Leaves nothing behind. */
  close(): Promise<void>;
}

const nftWays = [
  { path: 'INPUT', hook: 'input' },
  { path: 'FORWARD', hook: 'forward' },
] as const;

/** @throws FirewallError if nothing can be counted */
export async function openMeter(standing: Standing, tools: Tools, procNet: string): Promise<Meter> {
  return standing.backend === 'nftables'
    ? openNftMeter(standing.table, tools)
    : iptablesMeter(standing, new IptablesTool(tools, procNet));
}

/** Every rule of iptables counts; the jumps to our chain have counted since they were written. */
function iptablesMeter(
  { variant, tables }: Extract<Standing, { backend: 'docker-user' }>,
  iptables: IptablesTool,
): Meter {
  return {
    remembers: true,
    read: async () => {
      const counts = new Map<`${Path} ${Family}`, Passage>();
      for (const family of tables.keys()) {
        const reading = await readCountedTable(iptables, variant, family);
        if (!isTable(reading)) throw reading;
        for (const path of ['INPUT', 'FORWARD'] as const) {
          const crossed = packetsAcross(reading, path);
          if (crossed === undefined) continue;
          const direct = (rulesBefore(reading, path) ?? []).filter(({ isFinal }) => isFinal);
          const diverted = direct.reduce((sum, { packets }) => sum + packets, 0);
          counts.set(`${path} ${family}`, { crossed, diverted });
        }
      }
      return counts;
    },
    close: async () => undefined,
  };
}

/**
 * Our table's chains don't count what they let pass. A packet that comes by right behind them, at the next priority of the same hook, has crossed
 * them: the kernel takes every packet through the chains of a hook in the order of their priorities.
 */
async function openNftMeter(table: Listing, tools: Tools): Promise<Meter> {
  const lines = [`add table ${meterTable}`, `delete table ${meterTable}`, `add table ${meterTable}`];
  for (const { hook } of nftWays) {
    const at = hookOf(table, hook);
    if (at?.name !== hook) continue;
    lines.push(
      `add chain ${meterTable} ${hook} { type filter hook ${hook} priority ${at.priority + 1}; policy accept; }`,
      ...[4, 6].map((family) => `add rule ${meterTable} ${hook} meta nfproto ipv${family} counter`),
    );
  }
  const write = async (text: readonly string[]): Promise<void> => {
    await tools.run('nft', ['-f', '-'], { input: `${text.join('\n')}\n` });
  };
  await write(lines);
  return {
    remembers: false,
    read: async () => {
      const { stdout } = await tools.run('nft', ['-j', 'list', 'table', ...meterTable.split(' ')]);
      const rules = nftRules(parseListing(stdout, meterTable));
      const counts = new Map<`${Path} ${Family}`, Passage>();
      for (const { path, hook } of nftWays) {
        const counted = rules.filter(({ chain }) => chain === hook).map(({ packets }) => packets ?? 0);
        for (const [i, family] of ([4, 6] as const).entries()) {
          const crossed = counted[i];
          if (crossed !== undefined) counts.set(`${path} ${family}`, { crossed, diverted: 0 });
        }
      }
      return counts;
    },
    close: async () => {
      try {
        await write([`delete table ${meterTable}`]);
      } catch (thrown) {
        // Somebody has flushed the rules meanwhile.
        if (!(thrown instanceof FirewallError && thrown.code === 'firewall-not-found')) throw thrown;
      }
    },
  };
}
