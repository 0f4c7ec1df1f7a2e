import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Family } from '../../src/net/address.ts';
import { classify } from '../../src/firewall/tool/errors.ts';
import type { Conversation, ConversationListener, Tools } from '../../src/firewall/tool/exec.ts';
import type { Variant } from '../../src/firewall/iptables/tool.ts';
import { SimulatedNft } from './simulated-nft.ts';
import { failed, SimulatedSets } from './simulated-sets.ts';
import { SimulatedTable } from './simulated-tables.ts';

/** A kernel's netfilter with its tools, in memory. */
export class SimulatedKernel implements Tools {
  /** Epoch milliseconds. */
  now = 1_800_000_000_000;
  /** Command lines that were run, without those of conversations. */
  readonly commands: string[] = [];
  readonly sets: SimulatedSets;
  readonly nft = new SimulatedNft(() => this.now);
  /** Stands for /proc/net. */
  readonly procNet = mkdtempSync(join(tmpdir(), 'dock2ban-proc-'));
  /** This many runs fail from now on, as if the lock were held. */
  failures = 0;
  /** Programs that are not installed, by the start of their names. */
  missing: readonly string[] = [];
  /** What the engine says of itself. */
  engine: string | undefined;
  /** Called when a tool has done its work. */
  written: (() => void) | undefined;
  readonly #tables: Record<Variant, Record<Family, SimulatedTable>>;

  constructor({ ipv6 = true } = {}) {
    const table = (): SimulatedTable => new SimulatedTable((set) => this.sets.has(set));
    this.#tables = { nft: { 4: table(), 6: table() }, legacy: { 4: table(), 6: table() } };
    const all = Object.values(this.#tables).flatMap((families) => Object.values(families));
    this.sets = new SimulatedSets(
      () => this.now,
      (set) => all.some((each) => each.refersTo(set)),
    );
    if (ipv6) writeFileSync(join(this.procNet, 'if_inet6'), '');
  }

  table(variant: Variant, family: Family): SimulatedTable {
    return this.#tables[variant][family];
  }

  /** Loads iptables-legacy's tables. */
  useLegacy(): void {
    for (const file of ['ip_tables_names', 'ip6_tables_names'])
      writeFileSync(join(this.procNet, file), 'filter\n');
  }

  /** What dockerd does when it starts. */
  startDocker(variant: Variant, families: readonly Family[] = [4, 6]): void {
    if (variant === 'legacy') this.useLegacy();
    for (const family of families) {
      const table = this.table(variant, family);
      const script = ['*filter'];
      if (!table.chains.has('DOCKER-USER')) script.push(':DOCKER-USER - [0:0]', '-A DOCKER-USER -j RETURN');
      if (table.chains.get('FORWARD')!.includes('-j DOCKER-USER')) script.push('-D FORWARD -j DOCKER-USER');
      table.restore([...script, '-I FORWARD 1 -j DOCKER-USER', 'COMMIT', ''].join('\n'));
    }
  }

  /** Every table and set, for comparison. */
  snapshot(): unknown {
    const tables = Object.entries(this.#tables).map(([variant, families]) => [
      variant,
      families[4].save(),
      families[6].save(),
    ]);
    return {
      tables,
      nft: this.nft.snapshot(),
      sets: this.sets.names().map((name) => [name, [...this.sets.members(name)]]),
    };
  }

  readonly run = async (
    command: string,
    args: readonly string[],
    { input }: { input?: string } = {},
  ): Promise<{ stdout: string }> => {
    this.commands.push([command, ...args].join(' '));
    if (this.missing.some((name) => command.startsWith(name))) {
      throw classify({ command, stderr: '', timedOut: false, spawnCode: 'ENOENT' });
    }
    if (this.failures > 0) {
      this.failures -= 1;
      throw failed(command, 'Another app is currently holding the xtables lock.');
    }
    const stdout = this.#run(command, args, input);
    this.written?.();
    return { stdout };
  };

  converse(command: string, args: readonly string[], listener: ConversationListener): Conversation {
    const line = `${command} ${args.join(' ')}`;
    if (line !== 'ipset -exist -' && line !== 'nft -i') throw new Error(`unknown conversation ${line}`);
    const isMissing = this.missing.some((name) => command.startsWith(name));
    if (isMissing) queueMicrotask(() => listener.ended());
    return {
      write: (text) => {
        if (isMissing) return;
        if (this.failures > 0) {
          this.failures -= 1;
          queueMicrotask(() => listener.ended());
          return;
        }
        if (command === 'nft') this.commands.push(line);
        const said =
          command === 'nft'
            ? this.nft.converse(text)
            : text
                .split('\n')
                .map((each) => (each === '' ? '' : this.sets.converse(each)))
                .join('');
        this.written?.();
        queueMicrotask(() => listener.said(said));
      },
      end: () => listener.ended(),
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.procNet, { recursive: true });
  }

  #run(command: string, args: readonly string[], input: string | undefined): string {
    if (command === 'nft') return this.nft.run(args.join(' '), input);
    const line = `${command} ${args.join(' ')}`;
    if (line === 'ipset list -t') return this.sets.list();
    if (line.startsWith('ipset save ')) return this.sets.save(args[1]!);
    if (line === 'ipset -exist restore') {
      this.sets.restore(input!);
      return '';
    }
    if (line === 'iptables-legacy --version') return 'iptables v1.8.9 (legacy)\n';
    const [, six, variant, tool] =
      /^ip(6?)tables-(nft|legacy)-(save -t filter|restore --noflush -w 5)$/.exec(line) ?? [];
    if (variant !== 'nft' && variant !== 'legacy')
      throw new Error(`the simulated kernel does not know '${line}'`);
    const table = this.table(variant, six === '6' ? 6 : 4);
    if (tool?.startsWith('save')) return table.save();
    table.restore(input!);
    return '';
  }
}
