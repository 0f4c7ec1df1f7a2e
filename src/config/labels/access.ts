import { canonicalPrefix } from '../../net/address.ts';
import type { ContainerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';
import { prefixCover } from '../../net/prefix-cover.ts';
import { isAccessLabel, type AccessOption } from './access-labels.ts';
import type { AccessSpec } from './access-spec.ts';
import { ConfigError } from '../conf/config-error.ts';
import { directAccess } from './direct-access.ts';
import type { ClosedPort, ConfigProblem } from '../jail-spec.ts';
import { labelProblem, type Label } from './labels.ts';
import type { OwnPorts } from './own-ports.ts';
import { parsePorts, publishedPorts } from '../options/ports.ts';

const prefix = 'fail2ban.';
const portLabel = 'fail2ban.port';
const longestValue = 16_384;
/** So many entries a label: more fit neither a message to the kernel nor a person's head. */
const mostEntries = 1000;
const example = '192.0.2.0/24,2001:db8::/32';

/**
 * Reads who gets to a container's published ports. Undefined: no label says anything, or there is nothing to close.
 *
 * An entry that can't be used never lets in more than the same label without it. So of an `allowfrom` the good entries
 * count and everyone else is shut out, and one without any good entry shuts everyone out: that the ports are not for everyone is
 * plain, even if for whom is not. Closed by mistake is noticed at once and put right by an edit; open by mistake is noticed by the
 * wrong people, and can't be undone. Either is one `warn` that says which.
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
    const chosen = labels.filter(({ name }) => name.toLowerCase() === prefix + option);
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

/** The good entries of a label; what else it holds is one problem. */
function readEntries(
  container: ContainerSnapshot,
  label: Label,
  option: AccessOption,
  problems: ConfigProblem[],
): string[] {
  const report = (message: string, fix: string): void => {
    problems.push(labelProblem(container, label, message, fix));
  };
  const isAllow = option === 'allowfrom';
  const closed = 'so its published ports are closed to everyone from outside this host';
  const open = isAllow ? '; to open the ports, remove the label' : '';
  const texts = label.value.length > longestValue ? [] : label.value.split(/[\s,]+/).filter(Boolean);
  if (label.value.length > longestValue || texts.length > mostEntries) {
    const size = texts.length > 0 ? `${texts.length} entries` : `${label.value.length} characters`;
    report(
      `it has ${size}, which is too long to be read, ${isAllow ? closed : 'so it shuts nobody out'}`,
      `keep it to ${mostEntries} entries: join neighbours to prefixes${open}`,
    );
    return [];
  }
  const good: string[] = [];
  const bad: string[] = [];
  for (const text of texts) {
    const canonical = canonicalPrefix(text);
    if (canonical === undefined) bad.push(text);
    else good.push(canonical);
  }
  const fix = `write addresses and prefixes, such as ${example}${open}`;
  if (texts.length === 0) report(`it names nobody, ${isAllow ? closed : 'so it shuts nobody out'}`, fix);
  if (bad.length === 0) return good;
  const one = bad.length === 1;
  const what = `${quoted(bad)} ${one ? 'is' : 'are'} no address or prefix (names are not looked up)`;
  const lets = one ? 'it lets' : 'they let';
  const shuts = one ? 'it shuts' : 'they shut';
  const others = good.length > 0 ? '; the other entries do' : '';
  if (!isAllow) report(`${what}: ${shuts} nobody out${others}`, fix);
  else if (good.length > 0) report(`${what}: ${lets} nobody in${others}`, fix);
  else report(`${what}: no entry is left, ${closed}`, fix);
  return good;
}

/** What the labels close. Never everything: with `network_mode: host` that would be the services of the host, its own door among them. */
function guardedPorts(
  container: ContainerSnapshot,
  label: Label,
  ownPorts: OwnPorts | undefined,
  problems: ConfigProblem[],
): readonly ClosedPort[] {
  if (!container.hostNetwork) {
    const published = publishedPorts(container.publishedPorts);
    if (published.length === 0) {
      problems.push(
        labelProblem(
          container,
          label,
          'the container publishes no port, so there is nothing to close',
          'put the label on the container whose ports are published, such as the proxy in front of it',
        ),
      );
    }
    return published;
  }
  const value = container.labels[portLabel];
  const name = 'name its ports: fail2ban.port=80,443';
  try {
    const ports = value === undefined ? 'published' : parsePorts(value);
    if (typeof ports !== 'string') {
      const { closes, refused } = ownPorts?.grant(container, ports) ?? { closes: ports };
      if (refused !== undefined) {
        const port = { name: portLabel, value: value! };
        problems.push(labelProblem(container, port, refused, 'name ports that the container itself serves'));
      }
      return closes;
    }
    const message =
      ports === 'all'
        ? 'with network_mode: host all ports are those of the host too, so nothing is closed'
        : 'with network_mode: host it publishes no port, so nothing is closed';
    problems.push(labelProblem(container, label, message, name));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const message = `its ports can't be read, so nothing is closed: ${error.message}`;
    problems.push(labelProblem(container, { name: portLabel, value: value! }, message, error.fix ?? name));
  }
  return [];
}

function quoted(texts: readonly string[]): string {
  const shown = texts
    .slice(0, 5)
    .map((text) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text));
  return shown.join(', ') + (texts.length > shown.length ? ` and ${texts.length - shown.length} more` : '');
}
