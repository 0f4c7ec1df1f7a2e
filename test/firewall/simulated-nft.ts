import { familyOf } from '../../src/net/address.ts';
import { failed } from './simulated-sets.ts';

interface SimulatedNftSet {
  readonly handle: number;
  readonly properties: readonly string[];
  /** Address → epoch milliseconds at which it ends; Infinity: never. */
  readonly elements: Map<string, number>;
}

interface SimulatedNftChain {
  readonly handle: number;
  readonly hook: string;
  readonly rules: { readonly text: string; readonly handle: number }[];
}

interface SimulatedNftTable {
  readonly handle: number;
  isDormant: boolean;
  readonly sets: Map<string, SimulatedNftSet>;
  readonly chains: Map<string, SimulatedNftChain>;
}

interface State {
  readonly tables: Map<string, SimulatedNftTable>;
  handles: number;
}

const noSuch = 'Could not process rule: No such file or directory';
const busy = 'Could not process rule: Device or resource busy';

/**
 * nft with the inet and netdev tables of a kernel before Linux 6.12, as far as adding and deleting tables, sets, chains, rules and elements goes. A script is
 * carried out whole or not at all. What it doesn't know throws.
 */
export class SimulatedNft {
  #state: State = { tables: new Map(), handles: 0 };
  readonly #now: () => number;
  /** What counters count. */
  #listings = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** `nft flush ruleset`. */
  wipe(): void {
    this.#state.tables.clear();
  }

  /** Everything, for comparison; without handles. */
  snapshot(): unknown {
    return Array.from(this.#state.tables, ([name, { isDormant, sets, chains }]) => [
      name,
      isDormant,
      Array.from(sets, ([set, { properties, elements }]) => [set, properties, [...elements]]),
      Array.from(chains, ([chain, { hook, rules }]) => [chain, hook, rules.map(({ text }) => text)]),
    ]);
  }

  tables(): string[] {
    return [...this.#state.tables.keys()];
  }

  /** Whether our table works. */
  isAwake(): boolean {
    return this.#own()?.isDormant === false;
  }

  sets(table = 'inet dock2ban'): string[] {
    return [...(this.#state.tables.get(table)?.sets.keys() ?? [])];
  }

  /** Chain of our table → its hook, if it has one, and its rules. */
  chains(table = 'inet dock2ban'): Map<string, string[]> {
    return new Map(
      Array.from(this.#state.tables.get(table)?.chains ?? [], ([name, { hook, rules }]) => [
        name,
        [...(hook === '' ? [] : [hook]), ...rules.map(({ text }) => text)],
      ]),
    );
  }

  /** Live elements of a set of our table with the moment they end. */
  elements(set: string, table = 'inet dock2ban'): Map<string, number> {
    const { elements } = this.#state.tables.get(table)!.sets.get(set)!;
    for (const [address, end] of elements) if (end <= this.#now()) elements.delete(address);
    return elements;
  }

  /** Runs `nft ARGS`. */
  run(args: string, input: string | undefined): string {
    if (args === '-f -') {
      this.script(input!);
      return '';
    }
    if (args === '-c -f -') {
      const before = this.#state;
      this.script(input!);
      this.#state = before;
      return '';
    }
    const [, what] = /^-j (.*)$/.exec(args) ?? [];
    const [, family] = /^-t list ruleset (inet|netdev)$/.exec(what ?? '') ?? [];
    if (family !== undefined) {
      const names = [...this.#state.tables.keys()].filter((name) => name.startsWith(`${family} `));
      return this.#list(names, () => false);
    }
    const [, own] = /^list table ((?:inet|netdev) dock2ban)$/.exec(what ?? '') ?? [];
    if (own !== undefined) return this.#list([own], () => true);
    const [, table = '', set] = /^list set ((?:inet|netdev) dock2ban) (\S+)$/.exec(what ?? '') ?? [];
    if (set === undefined) throw new Error(`the simulated nft does not know '${args}'`);
    if (!this.#state.tables.get(table)?.sets.has(set))
      throw failed('nft', `Error: No such file or directory`);
    return this.#list([table], (name) => name === set);
  }

  /** Carries out a script as one transaction. */
  script(input: string): void {
    const state = structuredClone(this.#state);
    input
      .split('\n')
      .filter((line) => line !== '')
      .forEach((line, i) => {
        carryOut(state, line, this.#now(), (text) => {
          throw failed('nft', `/dev/stdin:${i + 1}:1-9: Error: ${text}\n${line}\n^^^^^^^^^\n`);
        });
      });
    this.#state = state;
  }

  /** Lines of `nft -i`, each a transaction. @returns what it complains of */
  converse(text: string): string {
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        if (!line.includes(' '))
          return `Error: syntax error, unexpected newline, expecting string\n${line}\n   ^\n`;
        try {
          // Within braces, `;` doesn't end a command.
          this.script(line.replaceAll(/; (?=(?:add|delete|flush) )/g, '\n'));
          return '';
        } catch (error) {
          return (error as { stderr: string }).stderr;
        }
      })
      .join('');
  }

  #own(): SimulatedNftTable | undefined {
    return this.#state.tables.get('inet dock2ban');
  }

  #list(names: readonly string[], isListed: (set: string) => boolean): string {
    const objects = names.flatMap((name) => {
      const table = this.#state.tables.get(name);
      if (!table) throw failed('nft', 'Error: No such file or directory');
      return this.#objectsOf(name, table, isListed);
    });
    return JSON.stringify({
      nftables: [{ metainfo: { version: '1.0.6', json_schema_version: 1 } }, ...objects],
    });
  }

  #objectsOf(name: string, table: SimulatedNftTable, isListed: (set: string) => boolean): object[] {
    const [family = '', title = ''] = name.split(' ');
    const own = { family, table: title };
    return [
      {
        table: {
          family,
          name: title,
          handle: table.handle,
          ...(table.isDormant && { flags: 'inet' }),
        },
      },
      ...Array.from(table.sets, ([set, { handle, properties }]) => {
        const size = properties.find((property) => property.startsWith('size '))?.slice(5);
        const elem = isListed(set) ? this.#listElements(set, name) : [];
        return {
          set: {
            ...own,
            name: set,
            type: properties[0]!.slice('type '.length),
            handle,
            ...(size !== undefined && { size: Number(size) }),
            flags: ['timeout'],
            ...(elem.length > 0 && { elem }),
          },
        };
      }),
      ...Array.from(table.chains, ([chain, { handle, hook }]) => {
        const [, type, at, dev, prio, policy] =
          /^type (\w+) hook (\w+)(?: device "([^"]+)")? priority (-?\d+); policy (\w+);$/.exec(hook) ?? [];
        return {
          chain: {
            ...own,
            name: chain,
            handle,
            ...(type !== undefined && {
              type,
              hook: at,
              ...(dev !== undefined && { dev }),
              prio: Number(prio),
              policy,
            }),
          },
        };
      }),
      ...Array.from(table.chains).flatMap(([chain, { rules }]) =>
        rules.map(({ text, handle }) => ({
          rule: {
            ...own,
            chain,
            handle,
            expr: [{ text }, { counter: { packets: (this.#listings += 1), bytes: 0 } }],
          },
        })),
      ),
    ];
  }

  #listElements(set: string, table: string): unknown[] {
    return Array.from(this.elements(set, table), ([address, end]) => {
      if (end === Infinity) return address;
      return { elem: { val: address, timeout: 9, expires: Math.floor((end - this.#now()) / 1000) } };
    });
  }
}

function carryOut(state: State, line: string, now: number, refuse: (text: string) => never): void {
  const [, verb, kind, tableName = '', name = '', rest = ''] =
    /^(add|insert|delete|flush) (table|set|chain|rule|element) ((?:inet|netdev) [\w-]+) ?(\S*) ?(.*)$/.exec(
      line,
    ) ?? [];
  const handle = (): number => (state.handles += 1);
  const table = state.tables.get(tableName);
  if (kind === 'table') {
    if (verb === 'add') {
      if (table) table.isDormant = rest.includes('dormant');
      else
        state.tables.set(tableName, {
          handle: handle(),
          isDormant: false,
          sets: new Map(),
          chains: new Map(),
        });
    } else if (verb === 'delete' && table) state.tables.delete(tableName);
    else refuse(noSuch);
    return;
  }
  if (!table) return refuse(noSuch);
  const refers = (to: string): boolean =>
    [...table.chains.values()].some(({ rules }) => rules.some(({ text }) => ` ${text} `.includes(` ${to} `)));
  const set = table.sets.get(name);
  const chain = table.chains.get(name);
  if (`${verb} ${kind}` === 'add set') {
    const properties = rest
      .slice(2, -2)
      .split(';')
      .map((each) => each.trim())
      .filter(Boolean);
    if (!set) table.sets.set(name, { handle: handle(), properties, elements: new Map() });
    else if (set.properties[0] !== properties[0]) refuse('Could not process rule: File exists');
  } else if (`${verb} ${kind}` === 'delete set' && set) {
    if (refers(`@${name}`)) refuse(busy);
    table.sets.delete(name);
  } else if (`${verb} ${kind}` === 'flush set' && set) set.elements.clear();
  else if (kind === 'element' && set) changeElements(verb!, set, rest, now, refuse);
  else if (`${verb} ${kind}` === 'add chain') {
    const hook = rest === '' ? '' : rest.slice(2, -2);
    if (!chain) table.chains.set(name, { handle: handle(), hook, rules: [] });
    else if (chain.hook !== hook) refuse('Could not process rule: Operation not supported');
  } else if (`${verb} ${kind}` === 'flush chain' && chain) chain.rules.length = 0;
  else if (`${verb} ${kind}` === 'delete chain' && chain) {
    if (chain.rules.length > 0 || refers(`goto ${name}`) || refers(`jump ${name}`)) refuse(busy);
    table.chains.delete(name);
  } else if (kind === 'rule' && chain) {
    const [, used] = /@(\S+)/.exec(rest) ?? [];
    const [, target] = /(?:jump|goto) (\S+)$/.exec(rest) ?? [];
    if (used !== undefined && !table.sets.has(used)) refuse(noSuch);
    if (target !== undefined && !table.chains.has(target)) refuse(noSuch);
    const rule = { text: rest, handle: handle() };
    if (verb === 'insert') chain.rules.unshift(rule);
    else chain.rules.push(rule);
  } else if (['set', 'element', 'chain', 'rule'].includes(kind ?? '')) refuse(noSuch);
  else throw new Error(`the simulated nft does not know '${line}'`);
}

/** An element that is added again keeps its timeout. */
function changeElements(
  verb: string,
  { properties, elements }: SimulatedNftSet,
  list: string,
  now: number,
  refuse: (text: string) => never,
): void {
  const items = list.slice(2, -2).split(', ');
  if (items.length > 4000) throw new Error('Message too long');
  for (const item of items) {
    const [, address = '', timeout] = /^(\S+?)(?: timeout (\S+))?$/.exec(item) ?? [];
    if (properties[0] !== (familyOf(address) === 4 ? 'type ipv4_addr' : 'type ipv6_addr')) {
      refuse('Could not resolve hostname: Address family for hostname not supported');
    }
    const isHeld = (elements.get(address) ?? 0) > now;
    if (verb === 'delete') {
      if (!isHeld) refuse(noSuch);
      elements.delete(address);
    } else if (!isHeld) elements.set(address, timeout === undefined ? Infinity : now + milliseconds(timeout));
  }
}

function milliseconds(timeout: string): number {
  const [, days = '0', seconds] = /^(?:(\d{1,8})d)?(\d{1,8})s$/.exec(timeout)!;
  return (Number(days) * 86_400 + Number(seconds)) * 1000;
}
