import { FirewallError } from '../../firewall/tool/errors.ts';
import type { Tools } from '../../firewall/tool/exec.ts';
import { DockerUserFirewall } from '../../firewall/iptables/docker-user.ts';
import { hasTraces, ownChain } from '../../firewall/iptables/filter-table.ts';
import { netdevTable } from '../../firewall/nft/ingress-layout.ts';
import { listNetdevTable, removeNetdevTable } from '../../firewall/nft/ingress-tool.ts';
import { NeverBan } from '../../firewall/bans/never-ban.ts';
import { ownTable } from '../../firewall/nft/names.ts';
import { NftablesFirewall } from '../../firewall/nft/nftables.ts';
import { isTable, readFirewall } from '../facts/firewall-facts.ts';
import { meterTable } from '../proofs/meter.ts';

/** What of ours is in the kernel, and what of the kernel can't be looked at. */
export interface Traces {
  /** For people: `chain DOCK2BAN (iptables-nft, IPv4)`. */
  readonly found: readonly string[];
  readonly unreadable: readonly FirewallError[];
}

/** Looks for whatever dock2ban may have written, in both backends and both variants of iptables. Changes nothing. */
export async function findTraces(tools: Tools, procNet: string): Promise<Traces> {
  const { tables, nft, sets } = await readFirewall(tools, procNet);
  const found: string[] = [];
  const unreadable: FirewallError[] = [];
  const note = (error: FirewallError): void => {
    // What isn't installed, or what the kernel doesn't know, holds nothing.
    if (error.code !== 'firewall-missing-binary' && error.code !== 'firewall-kernel') unreadable.push(error);
  };
  for (const [variant, families] of tables) {
    for (const [family, reading] of families) {
      if (!isTable(reading)) note(reading);
      else if (hasTraces(reading.rules))
        found.push(`chain ${ownChain} and the jumps to it (iptables-${variant}, IPv${family})`);
    }
  }
  if (sets instanceof FirewallError) note(sets);
  else if (sets.length > 0)
    found.push(`${sets.length} ipsets (${sets.slice(0, 5).join(', ')}${sets.length > 5 ? ', …' : ''})`);
  if (nft instanceof FirewallError) note(nft);
  else
    found.push(
      ...[ownTable, meterTable].filter((name) => nft.tables.has(name)).map((name) => `nft table ${name}`),
    );
  try {
    if ((await listNetdevTable(tools)).blocks.size > 0) found.push(`nft table ${netdevTable}`);
  } catch (error) {
    if (!(error instanceof FirewallError)) throw error;
    note(error);
  }
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
  const neverBan = new NeverBan({ host: [], gateways: [], dockerSubnets: [] });
  const options = { tools, neverBan: () => neverBan, procNet };
  const errors: unknown[] = [];
  for (const firewall of [new DockerUserFirewall(options), new NftablesFirewall(options)]) {
    try {
      await firewall.open();
      await firewall.flush();
      await firewall.close();
    } catch (error) {
      // The other one may still get through; what is left is told by whoever looks afterwards.
      if (!(error instanceof FirewallError)) throw error;
      if (error.code !== 'firewall-missing-binary' && error.code !== 'firewall-kernel') errors.push(error);
    }
  }
  try {
    await removeNetdevTable(tools);
  } catch (error) {
    if (!(error instanceof FirewallError)) throw error;
    if (error.code !== 'firewall-missing-binary' && error.code !== 'firewall-kernel') errors.push(error);
  }
  try {
    const lines = [`add table ${meterTable}`, `delete table ${meterTable}`];
    await tools.run('nft', ['-f', '-'], { input: `${lines.join('\n')}\n` });
  } catch (error) {
    if (!(error instanceof FirewallError)) throw error;
  }
  if (errors.length > 0) throw errors[0];
}
