import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { FirewallError } from '../tool/errors.ts';
import type { Tools } from '../tool/exec.ts';
import { netdevTable } from './ingress-layout.ts';
import { parseNetdevListing, type NetdevListing } from './ingress-listing.ts';

/** Reads our table at ingress without elements. @throws FirewallError */
export async function listNetdevTable(tools: Tools): Promise<NetdevListing> {
  const { stdout } = await tools.run('nft', ['-j', '-t', 'list', 'ruleset', 'netdev']);
  return parseNetdevListing(stdout);
}

/** With all elements of all sets. @throws FirewallError */
export async function listNetdevMembers(tools: Tools): Promise<NetdevListing> {
  try {
    const { stdout } = await tools.run('nft', ['-j', 'list', 'table', ...netdevTable.split(' ')]);
    return parseNetdevListing(stdout);
  } catch (error) {
    if (!(error instanceof FirewallError && error.code === 'firewall-not-found')) throw error;
    return { blocks: new Map(), members: new Map() };
  }
}

/** Carries out all lines at once, or none. @throws FirewallError */
export async function writeNetdev(tools: Tools, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await tools.run('nft', ['-f', '-'], { input: `${lines.join('\n')}\n` });
}

/** Removes our table at ingress, if it is there. @returns whether it was @throws FirewallError */
export async function removeNetdevTable(tools: Tools): Promise<boolean> {
  if ((await listNetdevTable(tools)).blocks.size === 0) return false;
  await writeNetdev(tools, [`delete table ${netdevTable}`]);
  return true;
}

/**
 * The interfaces that exist.
 * @param procNet `/proc/net` of the network namespace in which the tools work
 * @throws FirewallError
 */
export async function readDevices(procNet: string): Promise<ReadonlySet<string>> {
  const text = await readFile(join(procNet, 'dev'), 'utf8').catch((cause: unknown) => {
    throw new FirewallError('firewall-failed', `the interfaces can't be read: ${messageOf(cause)}`, {
      cause,
    });
  });
  return new Set(Array.from(text.matchAll(/^ *(\S+):/gm), ([, name = '']) => name));
}
