import { classify } from '../../src/firewall/tool/errors.ts';
import { familyOf, type Family } from '../../src/net/address.ts';

interface SimulatedSet {
  readonly type: string;
  readonly family: Family;
  readonly maxelem: number;
  /** Address → epoch milliseconds at which it ends; Infinity: never. */
  readonly members: Map<string, number>;
}

/** The kernel's ipsets, as far as ipset's create, add, del, flush, swap, destroy, save and list go. What it doesn't know throws. */
export class SimulatedSets {
  #sets = new Map<string, SimulatedSet>();
  readonly #now: () => number;
  readonly #isReferenced: (set: string) => boolean;

  constructor(now: () => number, isReferenced: (set: string) => boolean) {
    this.#now = now;
    this.#isReferenced = isReferenced;
  }

  has(name: string): boolean {
    return this.#sets.has(name);
  }

  names(): string[] {
    return [...this.#sets.keys()];
  }

  /** Live members with the moment they end. */
  members(name: string): Map<string, number> {
    const set = this.#sets.get(name);
    if (!set) throw failed('ipset', 'ipset v7.17: The set with the given name does not exist');
    for (const [ip, end] of set.members) if (end <= this.#now()) set.members.delete(ip);
    return set.members;
  }

  list(): string {
    return [...this.#sets]
      .map(([name, { type, family, maxelem }]) =>
        [
          `Name: ${name}`,
          `Type: ${type}`,
          'Revision: 6',
          `Header: family ${inet(family)} hashsize 1024 maxelem ${maxelem} timeout 0 bucketsize 12 initval 0x1`,
          'Size in memory: 216',
          `References: ${this.#isReferenced(name) ? 1 : 0}`,
          `Number of entries: ${this.members(name).size}`,
          '',
        ].join('\n'),
      )
      .join('\n');
  }

  save(name: string): string {
    const lines = [`create ${name} …`];
    for (const [ip, end] of this.members(name)) {
      lines.push(
        `add ${name} ${ip} timeout ${end === Infinity ? 0 : Math.floor((end - this.#now()) / 1000)}`,
      );
    }
    return `${lines.join('\n')}\n`;
  }

  /** `ipset -exist restore`. The worst it may do when a line is refused: nothing of the batch remains. */
  restore(input: string): void {
    const before = structuredClone(this.#sets);
    try {
      input
        .split('\n')
        .filter((line) => line !== '')
        .forEach((line, i) => this.#line(line, `Error in line ${i + 1}: `));
    } catch (error) {
      this.#sets = before;
      throw error;
    }
  }

  /** A line of `ipset -exist -`. @returns what it complains of */
  converse(line: string): string {
    try {
      this.#line(line, '');
      return '';
    } catch (error) {
      return `${(error as { stderr: string }).stderr}\n`;
    }
  }

  #line(line: string, where: string): void {
    const refuse = (text: string): never => {
      throw failed('ipset', `ipset v7.17: ${where}${text}`);
    };
    const timeout = Number(/ timeout (\d+)$/.exec(line)?.[1] ?? 0);
    if (timeout > 2_147_483) return refuse(`Syntax error: '${timeout}' is out of range 0-2147483`);
    const [verb = '', name = '', ip = ''] = line.split(' ');
    const set = this.#sets.get(name);
    if (verb === 'create') return this.#create(line, name, set, refuse);
    if (!set) return refuse('The set with the given name does not exist');
    if (verb === 'destroy') {
      if (this.#isReferenced(name)) refuse('Set cannot be destroyed: it is in use by a kernel component');
      this.#sets.delete(name);
      return undefined;
    }
    if (verb === 'flush') {
      set.members.clear();
      return undefined;
    }
    if (verb === 'swap') return this.#swap(name, ip, refuse);
    if (verb !== 'add' && verb !== 'del') throw new Error(`the simulated ipset does not know '${line}'`);
    if (familyOf(ip) !== set.family) return refuse(`Syntax error: cannot parse ${ip}`);
    if (verb === 'del') set.members.delete(ip);
    else if (ip.endsWith('/0')) refuse('The value of the CIDR parameter of the IP address is invalid');
    else if (set.type === 'hash:ip' && ip.includes('/'))
      throw new Error('not simulated: a prefix in hash:ip');
    else if (set.type === 'hash:ip' && ip === '0.0.0.0') {
      refuse('Null-valued element, cannot be stored in a hash type of set');
    } else if (!set.members.has(ip) && this.members(name).size >= set.maxelem) {
      refuse('Hash is full, cannot add more elements');
    } else set.members.set(ip, timeout === 0 ? Infinity : this.#now() + timeout * 1000);
    return undefined;
  }

  /** What rules refer to is the place, not the set. */
  #swap(a: string, b: string, refuse: (text: string) => never): undefined {
    const [first, second] = [this.#sets.get(a), this.#sets.get(b)];
    if (!first || !second) return refuse('The set with the given name does not exist');
    if (first.type !== second.type || first.family !== second.family) {
      refuse('The sets cannot be swapped: their type does not match');
    }
    this.#sets.set(a, second).set(b, first);
    return undefined;
  }

  #create(
    line: string,
    name: string,
    known: SimulatedSet | undefined,
    refuse: (text: string) => never,
  ): void {
    const [, type, family, maxelem] =
      /^create \S+ (hash:\w+) family (inet6?) maxelem (\d+) timeout 0$/.exec(line) ?? [];
    if (type === undefined) throw new Error(`the simulated ipset does not know '${line}'`);
    const made = {
      type,
      family: family === 'inet' ? 4 : 6,
      maxelem: Number(maxelem),
      members: new Map(),
    } as const;
    if (known && (known.type !== type || known.family !== made.family || known.maxelem !== made.maxelem)) {
      refuse('Set cannot be created: set with the same name already exists');
    }
    if (!known) this.#sets.set(name, made);
  }
}

function inet(family: Family): string {
  return family === 4 ? 'inet' : 'inet6';
}

export function failed(command: string, stderr: string): Error {
  return classify({ command, stderr, timedOut: false, spawnCode: undefined });
}
