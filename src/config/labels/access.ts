import { canonicalPrefix } from '../../net/address.ts';
import type { ContainerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';
import { prefixCover } from '../../net/prefix-cover.ts';
import type { AccessSpec } from './access-spec.ts';
import { orElse, quoted } from '../conf/config-error.ts';
import { directAccess } from './direct-access.ts';
import type { ClosedPort, ConfigProblem } from '../jail-spec.ts';
import {
  isAccessLabel,
  labelPrefix,
  labelProblem,
  longestValue,
  portLabel,
  type AccessOption,
  type Label,
} from './label.ts';
import type { OwnPorts } from './own-ports.ts';
import { parsePorts, publishedPorts, type PortChoice } from '../options/ports.ts';

/** Entries of a label: more fit neither a message to the kernel nor a person's head. */
const mostEntries = 1000;

/**
 * Reads who gets to a container's published ports. Undefined: no label says anything, or there is nothing to close.
 *
 * An invalid entry never lets in more than the same label without it. So an `allowfrom` with some valid entries admits these, and one without
 * any closes the ports to everyone: closed by mistake is noticed at once and put right by an edit; open by mistake is noticed by the wrong
 * people, and can't be undone. Either is one `warn` that says which.
 */
export function readAccess(
  container: ContainerSnapshot,
  networks: readonly NetworkSnapshot[] = [],
  ownPorts?: OwnPorts,
): {
  readonly access: AccessSpec | undefined;
  readonly problems: readonly ConfigProblem[];
} {
  const labels = Object.entries(container.labels)
    .filter(([name]) => isAccessLabel(name))
    .map(([name, value]): Label => ({ name, value }));
  const [first] = labels;
  if (!first) return { access: undefined, problems: [] };
  const problems: ConfigProblem[] = [];
  const named = (option: AccessOption): string[] | undefined => {
    const chosen = labels.filter(({ name }) => name.toLowerCase() === labelPrefix + option);
    if (chosen.length === 0) return undefined;
    return prefixCover(chosen.flatMap((label) => readEntries(container, label, option, problems)));
  };
  const [allow, deny = []] = [named('allowfrom'), named('denyfrom')];
  const apart = directAccess(container, networks, first);
  problems.push(...apart.problems);
  const { direct } = apart;
  const closes = apart.isOnly ? [] : guardedPorts(container, first, ownPorts, problems);
  const closesNothing = closes.length === 0 && direct.length === 0;
  if (closesNothing || (allow === undefined && deny.length === 0)) return { access: undefined, problems };
  const access = { container: container.name, closes, ...(direct.length > 0 && { direct }), allow, deny };
  return { access, problems };
}

/** The valid entries of a label; what else it has is one problem. */
function readEntries(
  container: ContainerSnapshot,
  label: Label,
  option: AccessOption,
  problems: ConfigProblem[],
): string[] {
  const isAllow = option === 'allowfrom';
  const report = (message: string, fix: string): void => {
    const open = isAllow ? '; to open the ports, remove the label' : '';
    problems.push(labelProblem(container, label, message, fix + open));
  };
  const effect = isAllow
    ? 'so its published ports are closed to everyone outside this host'
    : 'so it blocks nobody';
  const texts = label.value.length > longestValue ? [] : label.value.split(/[\s,]+/).filter(Boolean);
  if (label.value.length > longestValue || texts.length > mostEntries) {
    const size = texts.length > 0 ? `${texts.length} entries` : `${label.value.length} characters`;
    report(`too long (${size}), ${effect}`, `keep it to ${mostEntries} entries: join neighbours to prefixes`);
    return [];
  }
  const good = texts.flatMap((text) => canonicalPrefix(text) ?? []);
  const bad = texts.filter((text) => canonicalPrefix(text) === undefined);
  const fix = 'write addresses and prefixes, such as 192.0.2.0/24,2001:db8::/32';
  if (texts.length === 0) report(`it names nobody, ${effect}`, fix);
  if (bad.length > 0) {
    const shown = bad.slice(0, 5).map(quoted).join(', ');
    const more = bad.length > 5 ? ` and ${bad.length - 5} more` : '';
    const what = `invalid address or prefix ${shown}${more} (names are not looked up)`;
    report(good.length > 0 ? `${what}: skipped` : `${what}: no valid entry is left, ${effect}`, fix);
  }
  return good;
}

/** What the labels close. Never everything: with `network_mode: host` that would be the services of the host, its own door among them. */
function guardedPorts(
  container: ContainerSnapshot,
  label: Label,
  ownPorts: OwnPorts | undefined,
  problems: ConfigProblem[],
): readonly ClosedPort[] {
  const nothing = (message: string, fix: string, of = label): readonly ClosedPort[] => {
    problems.push(labelProblem(container, of, message, fix));
    return [];
  };
  if (!container.hostNetwork) {
    const published = publishedPorts(container.publishedPorts);
    if (published.length > 0) return published;
    return nothing(
      'the container publishes no port, so there is nothing to close',
      'put the label on the container whose ports are published, such as the proxy in front of it',
    );
  }
  const value = container.labels[portLabel] ?? 'published';
  const port = { name: portLabel, value };
  const name = 'name its ports: fail2ban.port=80,443';
  const choice = orElse(
    (): PortChoice => parsePorts(value),
    ({ message, fix }) => nothing(`its ports can't be read, so nothing is closed: ${message}`, fix, port),
  );
  if (typeof choice === 'string') {
    const why = choice === 'all' ? 'all ports are those of the host too' : 'it publishes no port';
    return nothing(`with network_mode: host ${why}, so nothing is closed`, name);
  }
  const { closes, refused } = ownPorts?.grant(container, choice) ?? { closes: choice };
  if (refused === undefined) return closes;
  problems.push(labelProblem(container, port, refused, 'name ports that the container itself serves'));
  return closes;
}
