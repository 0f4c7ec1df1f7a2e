import { isIPv4 } from 'node:net';
import { contains } from '../../net/address.ts';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { ConfigProblem, JailSpec } from '../../config/jail-spec.ts';
import type { ContainerFacts } from '../facts/engine-facts.ts';
import { ok, saidOnce, warning, type Finding } from '../finding.ts';

/** What configuration and labels ask for. */
export interface Configured {
  readonly jails: readonly JailSpec[];
  readonly problems: readonly ConfigProblem[];
  /** Who gets to which container by its labels. */
  readonly access?: readonly AccessSpec[];
}

/** Whether anything is guarded, and what of it can't be used. */
export function checkJails(
  { jails, problems, access = [] }: Configured,
  containers: readonly ContainerFacts[] | undefined,
): Finding[] {
  const isAboutAccess = ({ where }: ConfigProblem): boolean => accessLabel.test(where);
  const wrong = problems.filter(({ severity }) => severity === 'warn');
  const warnings = (about: readonly ConfigProblem[], consequence: string): Finding[] =>
    saidOnce(about).map((said) => warning('containers', { ...said, consequence }));
  const findings = [
    ...warnings(
      wrong.filter((problem) => !isAboutAccess(problem)),
      'this setting causes no bans',
    ),
    ...warnings(wrong.filter(isAboutAccess), 'its ports may be open or closed to others than was meant'),
  ];
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

const accessLabel = /, label fail2ban\.(?:allow|deny)from=/i;

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
  if (userlandProxy === false) return [ok('IPv6', 'docker-proxy is off, so it hides no clients')];
  const hidden = containers.filter(({ snapshot, networks }) => {
    const isPublished = snapshot.publishedPorts.some(
      ({ hostAddress }) => hostAddress.includes(':') && hostAddress !== '::1',
    );
    return (
      isPublished && !snapshot.hostNetwork && networks.length > 0 && !networks.some(({ hasIPv6 }) => hasIPv6)
    );
  });
  const names = hidden.map(({ snapshot }) => snapshot.name);
  if (names.length === 0) return [ok('IPv6', 'docker-proxy hides no IPv6 clients')];
  if (!addresses.some(isGlobalIPv6)) {
    const what = `IPv6 clients would be hidden, but this host has no global IPv6 address: ${names.join(', ')}`;
    return [ok('IPv6', what)];
  }
  return [
    warning('IPv6', {
      what: `published on IPv6, but on no network with IPv6: ${names.join(', ')}`,
      consequence:
        "their IPv6 clients come through docker-proxy: the log shows the network's gateway for all of them, so none can be banned",
      remedy:
        'give the network IPv6 (compose: networks: { default: { enable_ipv6: true } }; before Docker 27 also a subnet, and "experimental": true, "ip6tables": true in /etc/docker/daemon.json), or publish on IPv4 only: \'0.0.0.0:80:80\'',
    }),
  ];
}

const notGlobal = ['::/127', 'fe80::/10', 'fc00::/7', 'ff00::/8'];

function isGlobalIPv6(address: string): boolean {
  return !isIPv4(address) && !notGlobal.some((prefix) => contains(prefix, address));
}
