import { ConfigError } from '../conf/config-error.ts';
import { blockingOf, type Blocking } from './action-commands.ts';
import { parseCall, splitCalls } from './filter-call.ts';
import type { ClosedPort, Closes } from '../jail-spec.ts';
import { mergeCloses, parsePorts, parseProtocols } from './ports.ts';

/** What a jail's `action` comes to. */
export interface Actions {
  /** What the firewall actions close together; undefined: none of them is one. */
  readonly closes: Closes | undefined;
  /** One of them closes all ports by its kind, whatever `port` says. */
  readonly allPorts: boolean;
  /** `blocktype` of the first firewall action that is given one, as written; fail2ban's own default for its actions is not asked. */
  readonly blocktype: string | undefined;
  /** The other actions' names: dock2ban does not run them. */
  readonly notRun: readonly string[];
}

/** fail2ban's actions that only block, by name; dock2ban's own firewall stands for all of them. */
const firewallAction =
  /^(?:iptables|nftables|firewallcmd|ufw|shorewall|pf|ipfw|bsd-ipfw|apf|ipfilter|npf|route|osx-ipfw|osx-afctl|symbiosis-blacklist|dock2ban)(?![^-]).*$/;

/** The text of an option of an action's file, such as `actionban`; undefined: there is none. */
export type ActionFiles = (action: string, option: string) => string | undefined;

/**
 * Reads `action`: one `name[options]` a line. What isn't one of fail2ban's is judged by the commands of its file. A firewall action closes its `port` and `protocol`; one for all ports
 * (`…-allports`, `type=allports`) or without ports closes everything.
 *
 * @throws ConfigError
 */
export function parseActions(text: string, files: ActionFiles): Actions {
  const closes: Closes[] = [];
  const notRun: string[] = [];
  let allPorts = false;
  let blocktype: string | undefined;
  for (const { name, options } of splitCalls(text).map(parseCall)) {
    const own = firewallAction.test(name) ? undefined : handMade(name, options, files);
    if (!firewallAction.test(name) && !own) {
      notRun.push(name);
      continue;
    }
    const port = own ? own.port : options.get('port');
    blocktype ??= options.get('blocktype');
    if (name.includes('allports') || options.get('type') === 'allports') allPorts = true;
    closes.push(
      allPorts || port === undefined
        ? 'all'
        : portsOf(port, own?.protocol ?? options.get('protocol') ?? 'tcp'),
    );
  }
  return { closes: closes.length > 0 ? mergeCloses(closes) : undefined, allPorts, blocktype, notRun };
}

/** What an action of the user's closes; undefined: its commands block nobody. */
function handMade(
  name: string,
  options: ReadonlyMap<string, string>,
  files: ActionFiles,
): Blocking | undefined {
  const blocking = blockingOf(files(name, 'actionban') ?? '', files(name, 'actionstart') ?? '');
  if (!blocking) return undefined;
  const filled = (text: string | undefined): string | undefined =>
    text?.replaceAll(/<(\w+)>/g, (tag, option: string) => options.get(option) ?? files(name, option) ?? tag);
  const [port, protocol] = [filled(blocking.port), filled(blocking.protocol)];
  // What can't be told is closed wholly.
  return {
    port: port?.includes('<') ? undefined : port,
    protocol: protocol?.includes('<') ? undefined : protocol,
  };
}

/**
 * What `port` and `protocol` of a jail without containers close.
 *
 * @throws ConfigError
 */
export function portsOf(port: string, protocol: string): 'all' | readonly ClosedPort[] {
  const choice = parsePorts(port, parseProtocols(protocol));
  if (choice !== 'published') return choice;
  throw new ConfigError(
    'port = published needs a container',
    'name ports, or all, or label a container with fail2ban.jail',
  );
}
