import { NeverBan } from '../firewall/bans/never-ban.ts';
import { DockerUserFirewall } from '../firewall/iptables/docker-user.ts';
import { hasTraces, ownChain } from '../firewall/iptables/filter-table.ts';
import { inetTable } from '../firewall/nft/inet-plan.ts';
import { ingressTable } from '../firewall/nft/ingress-plan.ts';
import { NftKeeper } from '../firewall/nft/keeper.ts';
import { visitorsTable } from '../firewall/visitors/visitors-table.ts';
import { FirewallError, isWithoutTraces } from '../firewall/tool/errors.ts';
import type { Tools } from '../firewall/tool/exec.ts';
import { isTable, meterTable, readFirewall } from './facts/firewall-facts.ts';

/** What of ours is in the kernel, and what of the kernel can't be looked at. */
export interface Traces {
  /** For people: `chain DOCK2BAN (iptables-nft, IPv4)`. */
  readonly found: readonly string[];
  readonly unreadable: readonly FirewallError[];
}

/** Looks for whatever dock2ban may have written, in both backends and both variants of iptables. Changes nothing. */
export async function findTraces(tools: Tools, procNet: string): Promise<Traces> {
  const { tables, nft, sets } = await readFirewall(tools, procNet);
  const readings = [...tables].flatMap(([variant, families]) =>
    [...families].map(([family, reading]) => ({ variant, family, reading })),
  );
  const found = readings.flatMap(({ variant, family, reading }) =>
    isTable(reading) && hasTraces(reading.rules)
      ? [`chain ${ownChain} and the jumps to it (iptables-${variant}, IPv${family})`]
      : [],
  );
  if (!(sets instanceof FirewallError) && sets.length > 0)
    found.push(`${sets.length} ipsets (${sets.slice(0, 5).join(', ')}${sets.length > 5 ? ', …' : ''})`);
  if (!(nft instanceof FirewallError)) {
    const ours = {
      [inetTable]: nft.inet,
      [meterTable]: nft.meter,
      [ingressTable]: nft.ingress,
      [visitorsTable]: nft.visitors,
    };
    for (const [name, { blocks }] of Object.entries(ours))
      if (blocks.size > 0) found.push(`nft table ${name}`);
  }
  const unreadable = [...readings.map(({ reading }) => reading), sets, nft].filter(
    (each) => each instanceof FirewallError && !isWithoutTraces(each),
  ) as FirewallError[];
  return { found, unreadable };
}

/**
 * Removes every trace of ours from the kernel. Rules of others stay as they are.
 * @returns what there was
 * @throws FirewallError if something can't be looked at or removed
 */
export async function removeRules(tools: Tools, procNet: string): Promise<readonly string[]> {
  const before = await findTraces(tools, procNet);
  if (before.found.length > 0) await flushAll(tools, procNet);
  const { found, unreadable } = before.found.length > 0 ? await findTraces(tools, procNet) : before;
  if (unreadable[0]) throw unreadable[0];
  if (found.length > 0) {
    throw new FirewallError('firewall-failed', `still in the kernel: ${found.join(', ')}`, {
      fix: 'is a controller running that puts it back? Stop it first',
    });
  }
  return before.found;
}

async function flushAll(tools: Tools, procNet: string): Promise<void> {
  const none = new NeverBan({ host: [], gateways: [], dockerSubnets: [] });
  const neverBan = (): NeverBan => none;
  const removals = [inetTable, ingressTable, meterTable, visitorsTable].map(
    (table) => async (): Promise<void> => {
      const keeper = new NftKeeper(table, { tools, neverBan });
      await keeper.destroyAll();
      await keeper.close();
    },
  );
  removals.push(async () => {
    const firewall = new DockerUserFirewall({ tools, neverBan, procNet });
    await firewall.open();
    await firewall.flush();
    await firewall.close();
  });
  const errors: unknown[] = [];
  for (const remove of removals) {
    // The others may still get through; what is left is told by whoever looks afterwards.
    await remove().catch((error: unknown) => {
      if (!(error instanceof FirewallError)) throw error;
      if (!isWithoutTraces(error)) errors.push(error);
    });
  }
  if (errors.length > 0) throw errors[0];
}
