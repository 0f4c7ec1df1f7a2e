/** What an action's commands do to packets of a banned address. */
export interface Blocking {
  /** As the commands have it: `80,443`, `<port>`; undefined: all ports. */
  readonly port: string | undefined;
  readonly protocol: string | undefined;
}

/** A command that shuts an address out, by the tool that runs it. */
const blocks: readonly RegExp[] = [
  /(?:^|[\s/;&|])(?:<iptables>|ip6?tables(?:-nft|-legacy)?)\s.*\s(?:-j|--jump)\s+(?:DROP|REJECT|TARPIT|<blocktype>)/,
  /(?:^|[\s/;&|])(?:<nftables>|nft)\s.*\b(?:drop|reject|add\s+element|<blocktype>)/,
  /(?:^|[\s/;&|])ipset\s.*(?:\badd\b|-A\s)/,
  /(?:^|[\s/;&|])ufw\s.*\b(?:deny|reject|drop|<blocktype>)/,
  /(?:^|[\s/;&|])firewall-cmd\s.*(?:\b(?:drop|reject|DROP|REJECT)\b|<blocktype>|--add-source|--add-entry)/,
];

const portOf =
  /(?:--dports?|--destination-ports?|\bdport|\bport(?:\s+port)?)[\s=]+(?:"|')?\{?\s*([\w,:<>-]+)/;
const protocolOf = /(?:-p|--protocol|\bproto(?:col)?)[\s=]+(?:"|')?([a-z]+|<protocol>)/;

/**
 * Whether an action blocks, whatever it is called: by its `actionban`, with the ports that this or `actionstart` names.
 * Undefined: it doesn't.
 */
export function blockingOf(actionban: string, actionstart: string): Blocking | undefined {
  const bans = actionban.split('\n');
  if (!bans.some((line) => blocks.some((each) => each.test(line)))) return undefined;
  const lines = [...bans, ...actionstart.split('\n')];
  const first = (what: RegExp): string | undefined => lines.flatMap((line) => what.exec(line)?.[1] ?? [])[0];
  return { port: first(portOf), protocol: first(protocolOf) };
}
