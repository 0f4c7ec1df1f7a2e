import { parseActions, portsOf, type Actions } from './actions.ts';
import { parseBlockType } from './block-type.ts';
import { parseJailOption } from './jail-options.ts';
import type { JailReader } from './jail-reader.ts';
import type { BlockType, Closes, ConfigProblem } from './jail-spec.ts';
import { labelProblem, type Binding } from './labels.ts';
import { mergeCloses, publishedPorts } from './ports.ts';

/**
 * What a ban of a jail closes, and how. It closes for each container what its label says (its published ports by default), for a jail of
 * host services its firewall action's ports.
 */
export function jailCloses(
  reader: JailReader,
  bindings: readonly Binding[],
  hostServices: boolean,
  problems: ConfigProblem[],
): { readonly closes: Closes; readonly blocktype: BlockType } {
  const actions = readActions(reader, problems);
  const portByFile = bindings.length > 0 || hostServices ? fileText(reader, 'port') : undefined;
  const everything = actions?.allPorts === true || portByFile?.trim() === 'all';
  const choices: Closes[] = bindings.map((binding) => containerCloses(binding, everything, problems));
  if (hostServices) choices.push(hostCloses(reader, actions, portByFile, problems));
  return { closes: mergeCloses(choices), blocktype: blockType(reader, actions) };
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
    actions = parseActions(text);
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

function containerCloses(binding: Binding, everything: boolean, problems: ConfigProblem[]): Closes {
  const { container, options, jail, label } = binding;
  const port = options.get('port');
  const choice = port ? parseJailOption('port', port.value) : everything ? 'all' : 'published';
  if (choice !== 'published') return choice;
  if (container.hostNetwork) return 'all';
  const published = publishedPorts(container.publishedPorts);
  if (published.length === 0) {
    problems.push(
      labelProblem(
        container,
        port ?? label,
        'the container publishes no port, so a ban would close nothing',
        'publish its ports, name what a ban closes (fail2ban.port=80,443 or fail2ban.port=all), or put the label on the proxy in front of it',
        jail,
      ),
    );
  }
  return published;
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
