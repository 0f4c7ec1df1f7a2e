import { failed } from './simulated-sets.ts';

type Chains = Map<string, string[]>;

const builtin = ['INPUT', 'FORWARD', 'OUTPUT'];

/** One filter table of iptables, as far as save and `restore --noflush` go. A restore is done whole or not at all. What it doesn't know throws. */
export class SimulatedTable {
  #chains: Chains = emptyChains();
  readonly #hasSet: (set: string) => boolean;

  constructor(hasSet: (set: string) => boolean) {
    this.#hasSet = hasSet;
  }

  get chains(): ReadonlyMap<string, readonly string[]> {
    return this.#chains;
  }

  refersTo(set: string): boolean {
    return [...this.#chains.values()].flat().some((rule) => rule.includes(`--match-set ${set} `));
  }

  /** `nft flush ruleset`. */
  wipe(): void {
    this.#chains = emptyChains();
  }

  save(): string {
    return [
      '*filter',
      ...[...this.#chains.keys()].map((name) => `:${name} ${builtin.includes(name) ? 'ACCEPT' : '-'} [0:0]`),
      ...[...this.#chains].flatMap(([name, rules]) => rules.map((rule) => `-A ${name} ${rule}`)),
      'COMMIT',
      '',
    ].join('\n');
  }

  restore(script: string): void {
    const chains: Chains = structuredClone(this.#chains);
    const lines = script.split('\n').filter((line) => line !== '');
    if (lines.shift() !== '*filter' || lines.pop() !== 'COMMIT')
      throw new Error('no restore script of one table');
    for (const line of lines) this.#line(chains, line);
    this.#chains = chains;
  }

  #line(chains: Chains, line: string): void {
    const declared = /^:(\S+) - \[0:0\]$/.exec(line)?.[1];
    if (declared !== undefined) {
      chains.set(declared, []);
      return;
    }
    const [, verb, name = '', rule = ''] = /^-([AIDFX]) (\S+)(?: (.+))?$/.exec(line) ?? [];
    const chain = chains.get(name);
    if (!chain) throw failed('iptables-restore', 'line 2 failed: No chain/target/match by that name.');
    if (verb === 'A') chain.push(this.#checked(chains, rule));
    else if (verb === 'I' && rule.startsWith('1 ')) chain.unshift(this.#checked(chains, rule.slice(2)));
    else if (verb === 'F') chain.length = 0;
    else if (verb === 'D') {
      const at = chain.indexOf(rule);
      if (at < 0)
        throw failed(
          'iptables-restore',
          'line 2 failed: Bad rule (does a matching rule exist in that chain?).',
        );
      chain.splice(at, 1);
    } else if (verb === 'X') {
      const used = [...chains.values()].flat().some((each) => each.endsWith(`-j ${name}`));
      if (used || chain.length > 0)
        throw failed('iptables-restore', 'line 2 failed: Device or resource busy.');
      chains.delete(name);
    } else throw new Error(`the simulated iptables does not know '${line}'`);
  }

  #checked(chains: Chains, rule: string): string {
    const set = /--match-set (\S+) src/.exec(rule)?.[1];
    if (set !== undefined && !this.#hasSet(set))
      throw failed('iptables-restore', `Set ${set} doesn't exist.`);
    const target = /-j (\S+)/.exec(rule)?.[1] ?? '';
    if (!['ACCEPT', 'DROP', 'REJECT', 'RETURN'].includes(target) && !chains.has(target)) {
      throw failed('iptables-restore', `Chain '${target}' does not exist`);
    }
    return rule;
  }
}

function emptyChains(): Chains {
  return new Map(builtin.map((name) => [name, []]));
}
