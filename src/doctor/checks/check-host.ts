import type { ControllerView } from '../facts/controller-view.ts';
import { error, ok, untested, warning, type Finding } from '../finding.ts';
import { capability, type HostFacts, type StateDirectory } from '../facts/host-facts.ts';

/** What the process may do. */
export function checkPrivileges({ capabilities }: HostFacts): Finding[] {
  if (capabilities === undefined)
    return [untested('privileges', 'the capabilities of this process are unknown')];
  const names = ['NET_ADMIN', 'NET_RAW'] as const;
  const missing = names.filter((name) => (capabilities & (1n << capability[name])) === 0n);
  if (missing.length === 0) return [ok('privileges', 'the capabilities NET_ADMIN and NET_RAW are there')];
  return [
    error('privileges', {
      what: `missing capability: ${missing.join(', ')}`,
      consequence: missing.includes('NET_ADMIN')
        ? 'no rule can be written: no bans are enforced'
        : 'rules of iptables can not use ipset: no bans are enforced, except with --firewall nftables',
      remedy: 'run as root; compose: cap_add: [NET_ADMIN, NET_RAW]',
    }),
  ];
}

/** The controller, by what it says of itself. */
export function checkController(view: ControllerView): Finding[] {
  if (view.status === undefined) {
    return [
      error('controller', {
        what: `the controller does not answer: ${view.reason}`,
        consequence: 'nothing is read and nobody new is banned; bans in the kernel last until they expire',
        remedy: 'start it: docker compose up -d dock2ban, and see docker logs dock2ban',
      }),
    ];
  }
  const { version, docker, firewall, jails } = view.status;
  const findings: Finding[] = [];
  if (!docker.connected) {
    findings.push(
      error('controller', {
        what: 'the controller has no connection to Docker',
        consequence: 'new containers, labels and ports are unknown to it; existing bans stay active',
        remedy: 'see docker-lost in its log: docker logs dock2ban',
      }),
    );
  }
  if (firewall.backend === 'none') {
    findings.push(
      warning('controller', {
        what: 'the controller runs with --firewall none',
        consequence: 'bans are reported, not enforced',
        remedy: 'set DOCK2BAN_FIREWALL=auto, or remove it',
      }),
    );
  } else if (!firewall.healthy) {
    const troubles = firewall.troubles?.length ? `: ${firewall.troubles.join('; ')}` : '';
    findings.push(
      error('controller', {
        what: `the controller could not write everything to the kernel${troubles}`,
        consequence: 'some bans, or all, are not enforced',
        remedy: 'see firewall-error in its log: docker logs dock2ban',
      }),
    );
  }
  const all = jails.length > 0 ? `jails ${jails.join(', ')}` : 'no jail';
  return [...findings, ok('controller', `dock2ban ${version} answers: firewall ${firewall.backend}, ${all}`)];
}

const stateTroubles: Readonly<
  Record<Exclude<StateDirectory, 'writable' | 'missing'>, (at: string) => string>
> = {
  'read-only': (at) => `${at} can't be written`,
  temporary: (at) => `${at} is no volume: its content is lost with the container`,
};

/** What bans are remembered in. */
export function checkState({ stateDirectory }: HostFacts, path: string): Finding[] {
  if (stateDirectory === 'writable') return [ok('state', `${path} can be written`)];
  if (stateDirectory === 'missing') return [ok('state', `${path} does not exist yet; it will be made`)];
  return [
    warning('state', {
      what: stateTroubles[stateDirectory](path),
      consequence:
        stateDirectory === 'read-only'
          ? 'bans and log positions are lost at a reboot'
          : 'bans and log positions are lost at an upgrade',
      remedy: `compose: volumes: ['dock2ban-state:${path}'], and volumes: { dock2ban-state: } at the top level`,
    }),
  ];
}
