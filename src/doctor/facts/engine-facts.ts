import type { ContainerSnapshot, EngineProblem, NetworkSnapshot } from '../../docker/snapshot.ts';
import { engineConnector } from '../../docker/engine/engine-connector.ts';
import type { EngineClient } from '../../docker/engine/engine-client.ts';
import { networkSnapshot } from '../../docker/network-snapshot.ts';
import { EngineView } from '../../docker/engine-view.ts';
import { Dock2banError, messageOf } from '../../errors.ts';

export interface NetworkFacts extends NetworkSnapshot {
  readonly hasIPv6: boolean;
}

/** A container with a `fail2ban.` label. */
export interface ContainerFacts {
  readonly snapshot: ContainerSnapshot;
  readonly hasTerminal: boolean;
  readonly networks: readonly NetworkFacts[];
}

export interface EngineFacts {
  readonly version: string;
  readonly apiVersion: string;
  readonly operatingSystem: string;
  readonly isRootless: boolean;
  readonly isSwarm: boolean;
  /** `FirewallBackend.Driver`; undefined before API 1.49. */
  readonly firewallBackend: string | undefined;
  readonly networks: readonly NetworkFacts[];
  readonly containers: readonly ContainerFacts[];
  /** What it answers that can't be used, or doesn't answer. */
  readonly problems: readonly EngineProblem[];
  /** For logs. */
  readonly client: EngineClient;
}

/** Milliseconds for all questions together. */
const patience = 20_000;

/** Asks the engine; every call is a reading one. @returns the error if it can't be asked */
export async function readEngine(
  dockerHost: string,
  until: AbortSignal,
): Promise<EngineFacts | Dock2banError> {
  const signal = AbortSignal.any([until, AbortSignal.timeout(patience)]);
  try {
    const client = await engineConnector(dockerHost, { timeout: 10_000 })(signal);
    const [about, listed] = await Promise.all([client.info(signal), client.listNetworks(signal)]);
    const all = listed.entries.map((entry) => ({
      ...networkSnapshot(entry).network,
      hasIPv6: entry.EnableIPv6 ?? false,
    }));
    const { containers: snapshots, problems = [] } = await new EngineView({ patience: 5_000 }).look(
      client,
      signal,
    );
    const containers = await Promise.all(
      snapshots.map(async (snapshot): Promise<ContainerFacts> => {
        // One that can't be looked at hides nothing of the others.
        const inspected = await client.inspectContainer(snapshot.id, signal).catch(() => undefined);
        return {
          snapshot,
          hasTerminal: inspected?.Config.Tty ?? false,
          networks: all.filter(({ name }) => snapshot.networks.includes(name)),
        };
      }),
    );
    return {
      version: client.engine.Version,
      apiVersion: client.engine.ApiVersion,
      operatingSystem: about.OperatingSystem ?? '',
      isRootless: (about.SecurityOptions ?? []).some((option) => /(?:^|,|=)rootless\b/.test(option)),
      isSwarm: about.Swarm?.LocalNodeState === 'active',
      firewallBackend: about.FirewallBackend?.Driver ?? undefined,
      networks: all,
      containers,
      problems,
      client,
    };
  } catch (thrown) {
    if (thrown instanceof Dock2banError) return thrown;
    return new Dock2banError('docker-refused', `the engine's answer can't be used: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}
