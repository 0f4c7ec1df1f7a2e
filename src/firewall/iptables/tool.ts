import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Family } from '../../net/address.ts';
import { FirewallError } from '../tool/errors.ts';
import type { Tools } from '../tool/exec.ts';
import { parseTable, type FilterTable } from './filter-table.ts';

export type Variant = 'nft' | 'legacy';
export const variants: readonly Variant[] = ['nft', 'legacy'];

/** Seconds to wait for the xtables lock (iptables-nft needs none). Longer waits are left to the next reconcile. */
const lockWait = 5;

/** The filter tables of both iptables variants, by Debian's names of the programs. */
export class IptablesTool {
  readonly #tools: Tools;
  readonly #procNet: string;

  /** @param procNet `/proc/net` of the network namespace that the tools work in */
  constructor(tools: Tools, procNet: string) {
    this.#tools = tools;
    this.#procNet = procNet;
  }

  /** IPv6 can be off in the kernel (`ipv6.disable=1`). */
  async families(): Promise<readonly Family[]> {
    const ipv6 = await access(join(this.#procNet, 'if_inet6')).then(
      () => true,
      () => false,
    );
    return ipv6 ? [4, 6] : [4];
  }

  /**
   * A table that doesn't exist is read as empty, and not brought into being by looking: iptables-legacy-save would make it, and from then on every
   * packet would pass it.
   */
  async read(variant: Variant, family: Family): Promise<FilterTable> {
    return parseTable(await this.save(variant, family, 'filter'));
  }

  /** What the program `…-save` prints, as `read` reads it. @param options of the program */
  async save(
    variant: Variant,
    family: Family,
    table: 'filter' | 'nat',
    ...options: readonly string[]
  ): Promise<string> {
    if (variant === 'legacy' && !(await this.#legacyTables(family)).includes(table)) return '';
    const { stdout } = await this.#tools.run(`${program(variant, family)}-save`, [...options, '-t', table]);
    return stdout;
  }

  /** @throws FirewallError `firewall-missing-binary` if a variant is not installed, which `read` need not find out */
  async checkInstalled(variant: Variant): Promise<void> {
    await this.#tools.run(program(variant, 4), ['--version']);
  }

  /** Carries out a restore script as one transaction. */
  async restore(variant: Variant, family: Family, script: string): Promise<void> {
    const args = ['--noflush', '-w', String(lockWait)];
    await this.#tools.run(`${program(variant, family)}-restore`, args, { input: script });
  }

  async #legacyTables(family: Family): Promise<string[]> {
    const path = join(this.#procNet, family === 4 ? 'ip_tables_names' : 'ip6_tables_names');
    try {
      return (await readFile(path, 'utf8')).split('\n');
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
      throw new FirewallError('firewall-permission', `cannot read ${path}`, { cause });
    }
  }
}

function program(variant: Variant, family: Family): string {
  return `ip${family === 6 ? '6' : ''}tables-${variant}`;
}
