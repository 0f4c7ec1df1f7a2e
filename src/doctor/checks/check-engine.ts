import { bridgesHere } from '../../docker/bridges-here.ts';
import { Dock2banError } from '../../errors.ts';
import type { EngineFacts } from '../facts/engine-facts.ts';
import { error, ok, saidOnce, warning, type Finding } from '../finding.ts';
import type { HostFacts } from '../facts/host-facts.ts';

const rightNetwork =
  'give dock2ban the host network (compose: network_mode: host) of the machine that runs the engine';

/** The engine itself: whether it answers, and whether its packets can be seen from here. */
export function checkEngine(engine: EngineFacts | Dock2banError, { addresses }: HostFacts): Finding[] {
  if (engine instanceof Dock2banError) {
    return [
      error('engine', {
        what: `Docker can't be asked: ${engine.message}`,
        consequence: 'containers, their labels and ports are unknown; only bans of the last run are enforced',
        remedy: engine.fix ?? 'check --docker-host, and that the socket is mounted',
      }),
    ];
  }
  const findings = [
    ok('engine', describe(engine)),
    ...saidOnce(engine.problems).map((said) =>
      warning('engine', { ...said, consequence: 'dock2ban may not know everything that it should close' }),
    ),
  ];
  const bridges = engine.networks.filter(({ driver, subnets }) => driver === 'bridge' && subnets.length > 0);
  const isHere = bridgesHere(addresses, bridges);
  if (engine.operatingSystem === 'Docker Desktop') {
    findings.push(
      error('engine', {
        what: 'this is Docker Desktop: its containers run in a virtual machine',
        consequence:
          'containers see one address of the virtual machine for all clients, so nobody can be banned',
        remedy: 'use a Docker engine on Linux',
      }),
    );
  } else if (engine.isRootless) {
    findings.push(
      error('engine', {
        what: 'Docker runs rootless: a program in user space takes connections to published ports',
        consequence: 'containers see one address for all clients, so nobody can be banned',
        remedy:
          'use the engine of root, or let the addresses through: DOCKERD_ROOTLESS_ROOTLESSKIT_PORT_DRIVER=slirp4netns in the environment of dockerd-rootless.sh',
      }),
    );
  } else if (bridges.length > 0 && !isHere) {
    findings.push(
      error('engine', {
        what: "none of the addresses here belongs to a bridge network of Docker's: this is not the host's network namespace",
        consequence: 'rules are written where no packets of containers pass',
        remedy: rightNetwork,
      }),
    );
  } else if (bridges.length > 0) findings.push(ok('engine', "this is the host's network namespace"));
  if (engine.isSwarm) findings.push(...checkSwarm(engine));
  return findings;
}

function checkSwarm({ containers }: EngineFacts): Finding[] {
  const behind = containers.filter(({ networks }) => networks.some(({ name }) => name === 'ingress'));
  if (behind.length === 0) return [];
  return [
    warning('containers', {
      what: `published by Swarm's ingress network: ${behind.map(({ snapshot }) => snapshot.name).join(', ')}`,
      consequence:
        'their logs show an address of the ingress network for all clients, so nobody can be banned',
      remedy:
        'publish their ports with mode: host (long syntax of ports), or let a proxy in front pass the address on',
    }),
  ];
}

function describe({ version, apiVersion, firewallBackend }: EngineFacts): string {
  const backend = firewallBackend === undefined ? '' : `, makes its rules with ${firewallBackend}`;
  return `Docker ${version} answers (API ${apiVersion})${backend}`;
}
