import { isIPv4 } from 'node:net';
import { contains } from '../../net/address.ts';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { ConfigProblem, JailSpec } from '../../config/jail-spec.ts';
import type { ContainerFacts } from '../facts/engine-facts.ts';
import { ok, warning, type Finding } from '../finding.ts';

/** What configuration and labels ask for. */
export interface Wanted {
  readonly jails: readonly JailSpec[];
  readonly problems: readonly ConfigProblem[];
  /** Who gets to which container by its labels. */
  readonly access?: readonly AccessSpec[];
}

/** Whether anything is guarded, and what of it can't be used. */
export function checkJails(
  { jails, problems, access = [] }: Wanted,
  containers: readonly ContainerFacts[] | undefined,
): Finding[] {
  const findings = problems
    .filter(({ severity }) => severity === 'warn')
    .map(({ where, message, fix }) =>
      warning('containers', {
        what: `${where}: ${message}`,
        consequence: isAboutAccess.test(where)
          ? 'its ports may be open or closed to others than was meant'
          : 'as far as this goes, nobody is shut out',
        remedy: fix,
      }),
    );
  // Without Docker's answer, the jails of containers are unknown.
  if (containers === undefined) return findings;
  if (jails.length === 0 && access.length > 0) return findings;
  if (jails.length === 0) {
    return [
      ...findings,
      warning('containers', {
        what: 'no container has a usable label fail2ban.jail, and the configuration enables no jail',
        consequence: 'nothing is guarded',
        remedy: 'label a service: fail2ban.jail: nginx-proxy',
      }),
    ];
  }
  return [...findings, ok('containers', `jails: ${jails.map(describe).join('; ')}`)];
}

const isAboutAccess = /, label fail2ban\.(?:allow|deny)from=/i;

function describe({ name, containers }: JailSpec): string {
  return containers.length > 0 ? `${name} for ${containers.join(', ')}` : `${name} for the host`;
}

/**
 * Clients that come over IPv6 to a container of IPv4-only networks: docker-proxy connects for them.
 * @param addresses of the host
 * @param userlandProxy undefined: it can't be told
 */
export function checkIPv6(
  containers: readonly ContainerFacts[],
  addresses: readonly string[],
  userlandProxy: boolean | undefined,
): Finding[] {
  if (userlandProxy === false) return [ok('IPv6', 'docker-proxy is off, so that it hides nobody')];
  const hidden = containers.filter(({ snapshot, networks }) => {
    const isPublished = snapshot.publishedPorts.some(
      ({ hostAddress }) => hostAddress.includes(':') && hostAddress !== '::1',
    );
    return (
      isPublished && !snapshot.hostNetwork && networks.length > 0 && !networks.some(({ hasIPv6 }) => hasIPv6)
    );
  });
  const names = hidden.map(({ snapshot }) => snapshot.name);
  if (names.length === 0) return [ok('IPv6', 'no container hides its IPv6 clients behind docker-proxy')];
  if (!addresses.some(isGlobalIPv6)) {
    return [
      ok(
        'IPv6',
        `${names.join(', ')}: IPv6 clients would be hidden, but this host has no global IPv6 address`,
      ),
    ];
  }
  return names.map((name) =>
    warning('IPv6', {
      what: `container ${name} is published on IPv6, but none of its networks has IPv6`,
      consequence:
        "its IPv6 clients come through docker-proxy: the log shows the network's gateway for all of them, so none can be banned",
      remedy:
        'give its network IPv6 (compose: networks: { default: { enable_ipv6: true } }; before Docker 27 also a subnet, and "experimental": true, "ip6tables": true in /etc/docker/daemon.json), or publish on IPv4 only: \'0.0.0.0:80:80\'',
    }),
  );
}

const notGlobal = ['::/127', 'fe80::/10', 'fc00::/7', 'ff00::/8'];

function isGlobalIPv6(address: string): boolean {
  return !isIPv4(address) && !notGlobal.some((prefix) => contains(prefix, address));
}
