import { deepStrictEqual } from 'node:assert';
import { afterEach, beforeEach } from 'vitest';
import type { DirectPath } from '../../src/config/jail-spec.ts';
import { chooseFirewall } from '../../src/firewall/choose.ts';
import type { Firewall, GuardedJail } from '../../src/firewall/firewall.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import { likeDocker, whyNotHere, type Backend } from './firewall-fixture.ts';
import { Netns } from './netns.ts';
import { Party } from './party.ts';

export const addresses = {
  4: {
    offender: '198.51.100.66',
    honest: '198.51.100.7',
    container: '198.51.100.200',
    gateway: '198.51.100.1',
  },
  6: { offender: '2001:db8::66', honest: '2001:db8::7', container: '2001:db8::200', gateway: '2001:db8::1' },
} as const;

export const nothing = { repairs: [], shortfalls: [], refused: [] };

/** Whether this kernel has a type of network devices; one that has not calls the type unknown. */
async function knows(...kind: string[]): Promise<boolean> {
  const netns = await Netns.open();
  try {
    await netns.sh('ip', 'link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'port');
    await netns.sh('ip', 'link', 'add', 'probe', 'link', 'lan0', 'type', ...kind);
    return true;
  } catch (error) {
    if (String(error).includes('Unknown device type')) return false;
    throw error;
  } finally {
    netns.close();
  }
}

export const hasIpvlan = whyNotHere() === undefined && (await knows('ipvlan', 'mode', 'l2'));
if (!hasIpvlan) console.warn('this kernel has no ipvlan: its cases are LEFT OUT');

/** Types of `ip link add … type` by which a container may stand in the local network. */
export const kinds = [
  ['macvlan', ['macvlan', 'mode', 'bridge']],
  ...(hasIpvlan ? [['ipvlan (L2)', ['ipvlan', 'mode', 'l2']] as const] : []),
] as const;

/** A host, whose `lan0` is plugged into a network in which others stand, and a container that stands there, too. */
export class LocalNetwork {
  readonly host: Netns;
  readonly outside: Netns;
  readonly container: Netns;
  readonly #parties: Party[] = [];
  #firewall: Firewall | undefined;

  static async open(): Promise<LocalNetwork> {
    const [host, outside, container] = await Promise.all([Netns.open(), Netns.open(), Netns.open()]);
    const network = new LocalNetwork(host, outside, container);
    await network.plug();
    return network;
  }

  private constructor(host: Netns, outside: Netns, container: Netns) {
    this.host = host;
    this.outside = outside;
    this.container = container;
  }

  /** The one that was opened last. */
  get firewall(): Firewall {
    if (!this.#firewall) throw new Error('no firewall has been opened');
    return this.#firewall;
  }

  async close(): Promise<void> {
    for (const party of this.#parties) await party.close();
    await this.#firewall?.close();
    for (const netns of [this.host, this.outside, this.container]) netns.close();
  }

  /** Plugs an interface of the host into the network in which the others stand. */
  async plug(device = 'lan0', peer = 'port'): Promise<void> {
    const to = ['peer', 'name', peer, 'netns', String(this.outside.pid)];
    await this.host.sh('ip', 'link', 'add', device, 'type', 'veth', ...to);
    await this.host.sh('ip', 'link', 'set', device, 'up');
    await this.outside.sh('ip', 'link', 'set', peer, 'up');
  }

  /** Puts `lan0.50` and `port.50` on the cable. @returns whether the kernel has VLANs */
  async vlan(): Promise<boolean> {
    if (!(await knows('vlan', 'id', '50'))) return false;
    for (const [netns, device] of [
      [this.host, 'lan0'],
      [this.outside, 'port'],
    ] as const) {
      await netns.sh('ip', 'link', 'add', 'link', device, 'name', `${device}.50`, 'type', 'vlan', 'id', '50');
      await netns.sh('ip', 'link', 'set', `${device}.50`, 'up');
    }
    return true;
  }

  /** Gives the container an interface on one of the host's. @param kind of `ip link add … type` */
  async link(parent: string, ...kind: string[]): Promise<void> {
    const into = ['netns', String(this.container.pid)];
    await this.host.sh('ip', 'link', 'add', 'child', 'link', parent, ...into, 'type', ...kind);
    await this.container.sh('ip', 'link', 'set', 'child', 'up');
  }

  /** As `link`, with the container's usual addresses. */
  async join(parent: string, ...kind: string[]): Promise<void> {
    await this.link(parent, ...kind);
    for (const family of [4, 6] as const) await address(this.container, 'child', addresses[family].container);
  }

  /** Those outside get their addresses. */
  async strangers(device: string): Promise<void> {
    for (const family of [4, 6] as const) {
      for (const each of ['offender', 'honest'] as const)
        await address(this.outside, device, addresses[family][each]);
    }
  }

  async open(backend: Backend): Promise<Firewall> {
    await this.#firewall?.close();
    const neverBan = new NeverBan({ host: [], gateways: [addresses[4].gateway], dockerSubnets: [] });
    this.#firewall = chooseFirewall({
      choice: backend,
      tools: this.host.tools,
      procNet: this.host.procNet,
      neverBan: () => neverBan,
      engineBackend: () => undefined,
    });
    await this.#firewall.open();
    return this.#firewall;
  }

  /** Opens a firewall in which these jails have what they need. */
  async guard(backend: Backend, ...jails: GuardedJail[]): Promise<void> {
    await likeDocker(this.host, 'nft', backend);
    const firewall = await this.open(backend);
    await firewall.takeOver(jails.map(({ name }) => name));
    for (const _ of ['written', 'left alone']) deepStrictEqual(await firewall.reconcile(jails), nothing);
  }

  /** The container answers at a port, over TCP and UDP. */
  async serve(port: number, ...at: readonly string[]): Promise<void> {
    for (const each of at.length > 0 ? at : [addresses[4].container, addresses[6].container]) {
      this.#parties.push(await Party.echo(this.container, port, each));
    }
  }

  /** A party that is closed with this. */
  with(party: Party): Party {
    this.#parties.push(party);
    return party;
  }

  async connect(from: string, to: string, port: number): Promise<Party> {
    const party = this.with(Party.client(this.outside, to, port, from));
    deepStrictEqual(await party.next(3000), 'ready', `${from} to ${to} port ${port}`);
    return party;
  }

  async isRefused(from: string, to: string, port: number): Promise<boolean> {
    return (await this.with(Party.client(this.outside, to, port, from)).next(700)) === undefined;
  }

  async ruleset(): Promise<string> {
    return (await this.host.sh('nft', '-s', 'list', 'ruleset', 'netdev')).replaceAll(/ expires \w+/g, '');
  }
}

/** A network of its own for each test. */
export function eachOnItsOwn(set: (network: LocalNetwork) => void): void {
  let network: LocalNetwork | undefined;
  beforeEach(async () => {
    network = await LocalNetwork.open();
    set(network);
  });
  afterEach(async () => {
    await network?.close();
    network = undefined;
  });
}

async function address(netns: Netns, device: string, text: string): Promise<void> {
  const bits = text.includes(':') ? 64 : 24;
  const nodad = text.includes(':') ? ['nodad'] : [];
  await netns.sh('ip', 'address', 'add', `${text}/${bits}`, 'dev', device, ...nodad);
}

export function directTo(parent: string, more: Partial<DirectPath> = {}): DirectPath {
  return { parent, addresses: [addresses[4].container, addresses[6].container], closes: 'all', ...more };
}

export function jailWith(direct: readonly DirectPath[], more: Partial<GuardedJail> = {}): GuardedJail {
  return { name: 'tv', closes: [], blocktype: 'drop', direct, ...more };
}
