import type { NetworkSnapshot } from '../../docker/snapshot.ts';
import { parseActions, portsOf, type Actions } from '../options/actions.ts';
import { parseBlockType } from '../options/block-type.ts';
import { corroborationOf } from './corroboration.ts';
import { directNetworks, directPaths } from '../networks/direct-paths.ts';
import { parseJailOption } from '../options/jail-options.ts';
import type { JailReader } from './jail-reader.ts';
import type { BoundContainer } from './jail-definer.ts';
import type { BlockType, ClosedPort, Closes, ConfigProblem, JailSpec } from '../jail-spec.ts';
import { labelProblem } from '../labels/label.ts';
import type { Binding } from '../labels/labels.ts';
import type { OwnPorts } from '../labels/own-ports.ts';
import { formatPorts, mergeCloses } from '../options/ports.ts';
import { contains } from '../../net/address.ts';

const loopback = ['127.0.0.0/8', '::1/128'];

/**
 * What a ban of a jail closes, and how. It closes for each container what its label says (its published ports by default), for a jail of
 * host services its firewall action's ports. A container that stands in a local network by itself publishes nothing there: its addresses are
 * closed wholly, or the ports of its label.
 */
export function jailCloses(
  jail: {
    readonly reader: JailReader;
    readonly containers: readonly BoundContainer[];
    readonly networks: readonly NetworkSnapshot[];
    readonly ownPorts: OwnPorts;
    readonly hostServices: boolean;
    readonly sources: JailSpec['sources'];
  },
  problems: ConfigProblem[],
): Pick<JailSpec, 'closes' | 'direct' | 'blocktype' | 'corroboration'> {
  const { reader, hostServices, sources } = jail;
  const actions = readActions(reader, problems);
  const portByFile = jail.containers.length > 0 || hostServices ? fileText(reader, 'port') : undefined;
  const everything =
    (actions?.allPorts === true && reader.setByUser('action')) ||
    (portByFile?.trim() === 'all' && reader.setByUser('port'));
  const containers = jail.containers.map((bound) => containerCloses(bound, jail, everything, problems));
  const choices = containers.map(({ closes }) => closes);
  if (hostServices) choices.push(hostCloses(reader, actions, portByFile, problems));
  const direct = containers.flatMap((container) => container.direct);
  const closes = mergeCloses(choices);
  const [first] = jail.containers;
  if (first && direct.length === 0 && isOfLoopback(closes))
    problems.push(closesLoopback(first.binding, closes));
  const closed = { closes, ...(direct.length > 0 && { direct }) };
  return {
    ...closed,
    blocktype: blockType(reader, actions),
    corroboration: corroborationOf(reader.value('corroborate') ?? 'auto', { ...closed, sources }, choices),
  };
}

/** The jail's own `blocktype`, else what its firewall action is given. */
function blockType(reader: JailReader, actions: Actions | undefined): BlockType {
  try {
    const text = reader.text('blocktype') ?? actions?.blocktype;
    return text === undefined ? 'drop' : parseBlockType(text);
  } catch (error) {
    reader.report(error, 'blocktype', 'packets are dropped');
    return 'drop';
  }
}

function readActions(reader: JailReader, problems: ConfigProblem[]): Actions | undefined {
  let actions: Actions | undefined;
  try {
    const text = reader.text('action');
    if (text === undefined) return undefined;
    actions = parseActions(text, reader.actionFiles);
  } catch (error) {
    reader.report(error, 'action', 'what port says is closed instead');
    return undefined;
  }
  for (const name of new Set(actions.notRun)) {
    problems.push({
      severity: 'info',
      where: reader.placeOf('action'),
      message: `action ${name} is not run: dock2ban bans with its own firewall and runs no other action`,
      fix: `remove ${name} from action to silence this`,
    });
  }
  return actions;
}

/** @param everything whether the operator has the jail close all there is */
function containerCloses(
  { binding, refusal }: BoundContainer,
  { networks, ownPorts }: { readonly networks: readonly NetworkSnapshot[]; readonly ownPorts: OwnPorts },
  everything: boolean,
  problems: ConfigProblem[],
): Required<Pick<JailSpec, 'closes' | 'direct'>> {
  const { container, options } = binding;
  const port = options.get('port');
  const choice = port ? parseJailOption('port', port.value) : everything ? 'all' : 'published';
  const ownNetworks = directNetworks(container, networks);
  const direct = directPaths(ownNetworks, choice);
  // Ports of the container, which has none of the host's.
  const isApart = direct.length > 0 && ownNetworks.length === container.networks.length;
  const ofOperator = everything && !port;
  let closes: Closes = ofOperator ? 'all' : [];
  let portsRefused: string | undefined;
  if (!ofOperator && !isApart) {
    const isUnnamed = container.hostNetwork && choice === 'published';
    const granted = ownPorts.grant(container, choice);
    closes = isUnnamed ? ownPorts.everything : granted.closes;
    if (isUnnamed) problems.push(unnamedPorts(binding, closes));
    if (closes.length === 0 && direct.length === 0) problems.push(closesNothing(binding));
    else portsRefused = granted.refused;
  }
  if (refusal !== undefined || portsRefused !== undefined)
    problems.push(refused(binding, refusal, portsRefused));
  return { closes, direct };
}

/** What of a container's labels a jail doesn't take: one problem, whatever it is. */
function refused(
  { container, options, jail, label }: Binding,
  refusal: BoundContainer['refusal'],
  ports: string | undefined,
): ConfigProblem {
  const port = options.get('port');
  const labels = [...(refusal?.labels ?? []), ...(ports !== undefined && port ? [port] : [])];
  const messages: string[] = [];
  const fixes: string[] = [];
  if (refusal) {
    const names = refusal.labels.map((each) => each.name).join(', ');
    messages.push(
      `jail ${jail} is defined by ${refusal.owner.name}: a container adds its log and its ports to it and nothing more, so ${names} ${refusal.labels.length === 1 ? 'is' : 'are'} ignored`,
    );
    fixes.push(refusal.owner.fix);
  }
  if (ports !== undefined) {
    messages.push(ports);
    fixes.push(
      `for ports of another container, give that fail2ban.jail=${jail} too; to close everything, set port = all in [${jail}] of jail.local`,
    );
  }
  return labelProblem(container, labels[0] ?? label, messages.join('; '), fixes.join('; '), { jail });
}

/** Nobody says what it serves. */
function unnamedPorts({ container, label, jail }: Binding, closes: Closes): ConfigProblem {
  const ports = closes === 'all' ? closes : formatPorts(closes);
  const message = `with network_mode: host Docker doesn't know its ports, so a ban closes all that aren't known to be another's: ${ports}`;
  const fix = 'name its ports: fail2ban.port=80,443';
  return labelProblem(container, label, message, fix, { severity: 'info', jail });
}

function closesNothing({ container, options, jail, label }: Binding): ConfigProblem {
  const [message, fix] = container.hiddenServicePorts
    ? [
        'the ports that its Swarm service publishes are told by managers only, and this node is none (or a socket proxy keeps them back), so a ban would close nothing',
        'name the published ports (fail2ban.port=80,443); of a socket proxy on a manager, let it pass SERVICES',
      ]
    : [
        'the container publishes no port of its own, so a ban would close nothing',
        `publish its ports; or give the proxy in front of it fail2ban.jail=${jail} too, so that the jail closes what that publishes; or set port = all in [${jail}] of jail.local`,
      ];
  return labelProblem(container, options.get('port') ?? label, message, fix, { jail });
}

/** Whether it is something, and all of it bound to addresses that no client outside of the host reaches. */
function isOfLoopback(closes: Closes): closes is readonly ClosedPort[] {
  if (closes === 'all' || closes.length === 0) return false;
  return closes.every(
    ({ hostAddress }) =>
      hostAddress !== undefined && loopback.some((prefix) => contains(prefix, hostAddress)),
  );
}

function closesLoopback({ container, label, jail }: Binding, closes: readonly ClosedPort[]): ConfigProblem {
  const message = `the jail closes ${formatPorts(closes)}, which only this host reaches: clients come through a proxy, and a ban would not stop them`;
  const fix = `for a proxy in a container, give that fail2ban.jail=${jail} too; for one on the host, set port = all in [${jail}] of jail.local`;
  return labelProblem(container, label, message, fix, { jail });
}

function hostCloses(
  reader: JailReader,
  actions: Actions | undefined,
  port: string | undefined,
  problems: ConfigProblem[],
): Closes {
  if (actions) {
    if (actions.closes !== undefined) return actions.closes;
    problems.push({
      severity: 'warn',
      where: reader.placeOf('action'),
      message: 'none of the actions blocks anything, so bans of this jail close nothing',
      fix: 'add %(action_)s to action',
      jail: reader.name,
    });
    return [];
  }
  try {
    return portsOf(port ?? 'all', fileText(reader, 'protocol') ?? 'tcp');
  } catch (error) {
    reader.report(error, 'port', 'all ports are closed instead');
    return 'all';
  }
}

/** The text that files (not labels) give an option. */
function fileText(reader: JailReader, option: 'port' | 'protocol'): string | undefined {
  try {
    return reader.fileText(option);
  } catch (error) {
    reader.report(error, option, 'it is left out');
    return undefined;
  }
}
