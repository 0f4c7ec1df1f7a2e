import { networkInterfaces } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { foreignHost } from '../../config/networks/foreign-host.ts';
import type { ConfigProblem } from '../../config/jail-spec.ts';
import type { DockerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';
import { NeverBan, type OwnAddresses } from '../../firewall/bans/never-ban.ts';
import { localAddresses } from '../../net/local-addresses.ts';
import { ownAddresses } from './own-addresses.ts';

/** Which addresses must never be banned, as they change. */
export class NeverBanWatch {
  readonly #networks: () => readonly NetworkSnapshot[];
  readonly #ignored: readonly string[];
  #own: OwnAddresses = { host: [], gateways: [], dockerSubnets: [] };
  #current: NeverBan;

  /**
   * @param networks Docker's, as they are known now
   * @param ignored addresses and prefixes that the operator names for all jails
   */
  constructor(networks: () => readonly NetworkSnapshot[], ignored: readonly string[] = []) {
    this.#networks = networks;
    this.#ignored = ignored;
    this.#current = this.#listOf(this.#own);
  }

  get current(): NeverBan {
    return this.#current;
  }

  /** What is wrong if packets of the containers don't pass this host. */
  foreignHost(docker: DockerSnapshot | undefined): ConfigProblem[] {
    if (docker === undefined) return [];
    const { containers, networks } = docker;
    if (foreignHost(this.#own.host, containers, networks).length === 0) return [];
    // The bridge of a container that crashes time and again comes and goes.
    return foreignHost([...this.#own.host, ...localAddresses()], containers, networks);
  }

  /** Looks at the host's interfaces and Docker's networks. */
  look(): void {
    const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const own = ownAddresses(
      interfaces.map(({ address }) => address),
      this.#networks(),
    );
    // A new list makes the firewall check all bans.
    if (isDeepStrictEqual(own, this.#own)) return;
    this.#own = own;
    this.#current = this.#listOf(own);
  }

  #listOf(own: OwnAddresses): NeverBan {
    return new NeverBan({ ...own, ignored: this.#ignored });
  }
}
