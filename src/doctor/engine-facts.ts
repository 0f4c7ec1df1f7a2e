import * as z from 'zod';
import type { ContainerSnapshot, NetworkSnapshot } from '../docker/snapshot.ts';
import { modemOptions, parseDockerHost } from '../docker/docker-host.ts';
import { loadDockerode } from '../docker/dockerode.ts';
import { dockerodeConnector } from '../docker/dockerode-client.ts';
import type { EngineClient } from '../docker/engine-client.ts';
import { ImageLabels } from '../docker/image-labels.ts';
import { networkSnapshot } from '../docker/network-snapshot.ts';
import { OptedInContainers } from '../docker/opted-in.ts';
import { Dock2banError, messageOf } from '../errors.ts';

// What the engine tells beyond what the controller needs; field names are the Engine API's.

const info = z.object({
  OperatingSystem: z.string().nullish(),
  SecurityOptions: z.array(z.string()).nullish(),
  FirewallBackend: z.object({ Driver: z.string().nullish() }).nullish(),
  Swarm: z.object({ LocalNodeState: z.string().nullish() }).nullish(),
});

const networks = z.array(
  z.object({
    Name: z.string(),
    Driver: z.string(),
    EnableIPv6: z.boolean().nullish(),
    IPAM: z
      .object({
        Config: z.array(z.object({ Subnet: z.string().nullish(), Gateway: z.string().nullish() })).nullish(),
      })
      .nullish(),
    Options: z.record(z.string(), z.string()).nullish(),
  }),
);

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
    const client = await dockerodeConnector(dockerHost, { timeout: 10_000 })(signal);
    const raw = new (loadDockerode())(modemOptions(parseDockerHost(dockerHost), undefined));
    const call = { abortSignal: signal };
    const [about, listed] = [info.parse(await raw.info(call)), networks.parse(await raw.listNetworks(call))];
    const all = listed.map((network) => ({
      ...networkSnapshot(network),
      hasIPv6: network.EnableIPv6 ?? false,
    }));
    const listing = await client.listContainers(signal);
    const optedIn = await new OptedInContainers().list(listing, client, signal);
    const snapshots = await new ImageLabels().of(optedIn, client, signal, 5_000);
    const containers = await Promise.all(
      snapshots.map(async (snapshot): Promise<ContainerFacts> => {
        const inspected = await client.inspectContainer(snapshot.id, signal);
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
      client,
    };
  } catch (thrown) {
    if (thrown instanceof Dock2banError) return thrown;
    return new Dock2banError('docker-refused', `the engine's answer can't be used: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}
