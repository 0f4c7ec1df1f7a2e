import assert from 'node:assert/strict';
import type { BanFirewall, GuardedJail } from '../../src/firewall/firewall.ts';
import { type Backend, openFirewall } from './firewall-fixture.ts';
import { Netns } from './netns.ts';
import { Party } from './party.ts';

export const addresses = {
  4: {
    bits: 24,
    offender: '198.51.100.66',
    honest: '198.51.100.10',
    host: '198.51.100.1',
    container: '172.30.0.2',
    bridge: '172.30.0.1',
  },
  6: {
    bits: 64,
    offender: '2001:db8::66',
    honest: '2001:db8::10',
    host: '2001:db8::1',
    container: 'fd00:30::2',
    bridge: 'fd00:30::1',
  },
} as const;

/** A host with a firewall between a container and the outside, where an offender and an honest client are; each a network namespace. */
export class PacketSite {
  readonly outside: Netns;
  readonly host: Netns;
  readonly container: Netns;
  readonly #backend: Backend;
  readonly #parties: Party[] = [];
  #firewall: BanFirewall | undefined;

  static async open(backend: Backend): Promise<PacketSite> {
    const [outside, host, container] = await Promise.all([Netns.open(), Netns.open(), Netns.open()]);
    await link(host, 'wan', outside, 'eth0');
    await link(host, 'lan', container, 'eth0');
    await host.sh('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    for (const family of [4, 6] as const) {
      const { bits, offender, honest, host: own, bridge, container: inside } = addresses[family];
      const add = (netns: Netns, ip: string, device: string): Promise<string> =>
        netns.sh('ip', 'address', 'add', `${ip}/${bits}`, 'dev', device, ...(family === 6 ? ['nodad'] : []));
      await add(outside, offender, 'eth0');
      await add(outside, honest, 'eth0');
      await add(host, own, 'wan');
      await add(host, bridge, 'lan');
      await add(container, inside, 'eth0');
      await container.sh('ip', `-${family}`, 'route', 'add', 'default', 'via', bridge);
    }
    return new PacketSite(backend, outside, host, container);
  }

  private constructor(backend: Backend, outside: Netns, host: Netns, container: Netns) {
    this.#backend = backend;
    this.outside = outside;
    this.host = host;
    this.container = container;
  }

  /** The one that `guard` opened. */
  get firewall(): BanFirewall {
    return this.#firewall!;
  }

  /** Opens the host's firewall for these jails. */
  async guard(jails: readonly GuardedJail[]): Promise<void> {
    ({ firewall: this.#firewall } = await openFirewall(this.host, this.#backend));
    assert.deepEqual(await this.firewall.reconcile(jails), { repairs: [], shortfalls: [], refused: [] });
  }

  /** What Docker does for `-p outer:inner`. */
  async publish(
    variant: string,
    family: 4 | 6,
    outer: number,
    inner: number,
    protocol = 'tcp',
  ): Promise<void> {
    const { container } = addresses[family];
    const program = `ip${family === 6 ? '6' : ''}tables-${variant}`;
    const target = family === 6 ? `[${container}]:${inner}` : `${container}:${inner}`;
    const match = ['-i', 'wan', '-p', protocol, '--dport', String(outer)];
    const rule = [...match, '-j', 'DNAT', '--to-destination', target];
    await this.host.sh(program, '-t', 'nat', '-A', 'PREROUTING', ...rule);
  }

  /** Sends back what comes to a port, over TCP and UDP. */
  async serve(netns: Netns, port: number, address: string): Promise<void> {
    this.#parties.push(await Party.echo(netns, port, address));
  }

  /** Ends a party with the site. */
  with(party: Party): Party {
    this.#parties.push(party);
    return party;
  }

  /** A connection that must come about. */
  async connect(from: string, to: string, port: number, netns = this.outside): Promise<Party> {
    const party = this.with(Party.client(netns, to, port, from));
    assert.equal(await party.next(3000), 'ready', `${from} is connected to ${to} port ${port}`);
    return party;
  }

  async isRefused(from: string, to: string, port: number): Promise<boolean> {
    const party = this.with(Party.client(this.outside, to, port, from));
    return (await party.next(1000)) !== 'ready';
  }

  async close(): Promise<void> {
    await this.#firewall?.close();
    await Promise.all(this.#parties.map((party) => party.close()));
    for (const netns of [this.outside, this.host, this.container]) netns.close();
  }
}

async function link(a: Netns, deviceOfA: string, b: Netns, deviceOfB: string): Promise<void> {
  const peer = ['peer', 'name', deviceOfB, 'netns', String(b.pid)];
  await a.sh('ip', 'link', 'add', deviceOfA, 'type', 'veth', ...peer);
  await a.sh('ip', 'link', 'set', deviceOfA, 'up');
  await b.sh('ip', 'link', 'set', deviceOfB, 'up');
}
