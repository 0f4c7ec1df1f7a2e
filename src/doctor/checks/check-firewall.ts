import type { Family } from '../../net/address.ts';
import { isNftablesEngine } from '../../firewall/backend-choice.ts';
import { FirewallError } from '../../firewall/tool/errors.ts';
import { compareTable, hasLiveJump, ownChain } from '../../firewall/iptables/filter-table.ts';
import { inetTable } from '../../firewall/nft/inet-plan.ts';
import type { Listing } from '../../firewall/nft/listing.ts';
import type { Variant } from '../../firewall/iptables/tool.ts';
import type { ControllerView } from '../facts/controller-view.ts';
import type { CountedTable } from '../rules/counted-table.ts';
import type { EngineFacts } from '../facts/engine-facts.ts';
import { error, ok, warning, type Finding } from '../finding.ts';
import { isTable, liveVariants, type FirewallFacts, type Standing } from '../facts/firewall-facts.ts';
import { hookOf, nftRules } from '../rules/nft-rules.ts';

export interface FirewallContext {
  readonly facts: FirewallFacts;
  readonly standings: readonly Standing[];
  /** Undefined: it can't be asked. */
  readonly engine: EngineFacts | undefined;
  readonly controller: ControllerView;
}

/** Whether our rules are in the kernel, and where packets pass. */
export function checkFirewall({ facts, standings, engine, controller }: FirewallContext): Finding[] {
  const isNftables = isNftablesEngine(engine?.firewallBackend);
  return [
    ...checkTools(facts, standings),
    ...(isNftables || !engine ? [] : checkJump(facts)),
    ...checkVariants(facts),
    ...checkStanding(standings, controller),
    ...standings.flatMap((standing) =>
      standing.backend === 'nftables'
        ? checkOwnTable(standing.table)
        : checkOwnChain(standing.variant, standing.tables, facts, isNftables),
    ),
    ...checkFlowtables(facts),
  ];
}

/** What the tools say when they are only asked to look. */
function checkTools(facts: FirewallFacts, standings: readonly Standing[]): Finding[] {
  const readings = [...facts.tables].flatMap(([variant, families]) =>
    [...families].map(([family, reading]) => ({ variant, family, reading })),
  );
  const isInstalled = readings.some(
    ({ reading }) => isTable(reading) || reading.code !== 'firewall-missing-binary',
  );
  const onlyNft = standings.length > 0 && standings.every(({ backend }) => backend === 'nftables');
  // One variant of iptables is enough, and without rules in either, none is needed.
  const broken = readings.flatMap(({ variant, family, reading }) =>
    isTable(reading) || (reading.code === 'firewall-missing-binary' && (isInstalled || onlyNft))
      ? []
      : [toolTrouble(`the rules of iptables-${variant} for IPv${family} can't be read`, reading)],
  );
  if (facts.nft instanceof FirewallError) broken.push(toolTrouble("nft's rules can't be read", facts.nft));
  if (facts.sets instanceof FirewallError && !onlyNft) {
    broken.push(toolTrouble("ipset can't be used", facts.sets));
  }
  return broken;
}

function toolTrouble(what: string, { message, fix }: FirewallError): Finding {
  return error('firewall', {
    what: `${what}: ${message}`,
    consequence: 'bans can not be written to the kernel this way, nor can they be checked',
    remedy: fix ?? 'see the message of the tool',
  });
}

/** Docker's own jump: forwarded packets of published ports must pass DOCKER-USER. */
function checkJump(facts: FirewallFacts): Finding[] {
  return facts.families.map((family) => {
    const [variant] = liveVariants(facts, family);
    if (variant !== undefined) {
      return ok(
        'firewall',
        `IPv${family}: FORWARD has Docker's live jump to DOCKER-USER (iptables-${variant})`,
      );
    }
    if (family === 6) {
      return ok(
        'firewall',
        "IPv6: Docker makes no DOCKER-USER (before Docker 27, or its ip6tables is off); dock2ban's rules are in FORWARD itself",
      );
    }
    return hasDockerChain(facts)
      ? error('firewall', {
          what: 'IPv4: FORWARD has no jump to DOCKER-USER, although Docker made its chains: it was removed',
          consequence:
            "Docker's own rules are incomplete; bans hold only where dock2ban's jump is in FORWARD itself",
          remedy: 'let Docker write its rules again: systemctl restart docker',
        })
      : error('firewall', {
          what: 'IPv4: Docker has no chains: it runs with --iptables=false, or all rules were flushed',
          consequence:
            'clients reach published ports through docker-proxy, if at all: the log shows a gateway in their place, so nobody can be banned',
          remedy: 'remove "iptables": false from /etc/docker/daemon.json, then: systemctl restart docker',
        });
  });
}

function hasDockerChain({ tables }: FirewallFacts): boolean {
  return [...tables.values()].some((families) => {
    const reading = families.get(4);
    return (
      reading !== undefined &&
      isTable(reading) &&
      (reading.rules.has('DOCKER') || reading.rules.has('DOCKER-USER'))
    );
  });
}

/** Both variants of iptables at work. */
function checkVariants(facts: FirewallFacts): Finding[] {
  const used = [...facts.tables].flatMap(([variant, families]) => {
    const rules = [...families.values()].flatMap((reading) =>
      isTable(reading) ? [...reading.rules.values()].flat() : [],
    );
    return rules.length > 0 ? [variant] : [];
  });
  if (used.length < 2) return [];
  const live = liveVariants(facts, 4);
  const [first, second] = live.map((variant) => `iptables-${variant}`);
  const where =
    second === undefined ? `Docker's jump is in ${first ?? 'neither'}` : 'both have a jump to DOCKER-USER';
  const other: Variant = live[0] === 'legacy' ? 'nft' : 'legacy';
  return [
    warning('firewall', {
      what: `iptables-nft and iptables-legacy both hold rules (${where})`,
      consequence: 'every packet passes both, and a program that lists one does not see what the other drops',
      remedy: `use one on the host (update-alternatives --config iptables), and after the next reboot see that iptables-${other}-save is empty`,
    }),
  ];
}

function checkStanding(standings: readonly Standing[], controller: ControllerView): Finding[] {
  if (standings.length > 0 || controller.status?.firewall.backend === 'none') return [];
  return [
    error('firewall', {
      what: "none of dock2ban's rules is in the kernel",
      consequence: 'no bans are enforced, whatever is reported as banned',
      remedy:
        controller.status === undefined
          ? 'start the controller: docker compose up -d dock2ban'
          : 'see firewall-error in the log (docker logs dock2ban); the controller tries again every 5 seconds',
    }),
  ];
}

function checkOwnTable(table: Listing): Finding[] {
  const broken = (['input', 'forward'] as const).filter((hook) => !leadsToAll(table, hook));
  if (!table.isDormant && broken.length === 0) {
    return [ok('firewall', `the table ${inetTable} is at input and forward, before Docker's rules`)];
  }
  return [
    error('firewall', {
      what: table.isDormant
        ? `the table ${inetTable} is dormant`
        : `the table ${inetTable} has rules that are not reached from ${broken.join(' and ')}`,
      consequence:
        table.isDormant || broken.includes('forward')
          ? 'bans do not hold for published ports'
          : 'bans do not hold for ports of the host itself',
      remedy:
        'a running controller repairs it within 5 seconds; if it comes back, find out which program changes it: nft monitor',
    }),
  ];
}

/** Whether a chain hangs at its hook and leads to every chain that has rules. */
function leadsToAll(table: Listing, hook: 'input' | 'forward'): boolean {
  if (hookOf(table, hook)?.name !== hook) return false;
  const rules = nftRules(table);
  const reached = new Set<string>([hook]);
  for (const chain of reached) {
    for (const rule of rules) if (rule.chain === chain && rule.to !== undefined) reached.add(rule.to);
  }
  return rules.every(({ chain }) => hookOf(table, chain) !== undefined || reached.has(chain));
}

function checkOwnChain(
  variant: Variant,
  tables: ReadonlyMap<Family, CountedTable>,
  facts: FirewallFacts,
  isNftables: boolean,
): Finding[] {
  if (isNftables) {
    return [
      error('firewall', {
        what: "Docker makes its rules with nftables, but dock2ban's are in iptables",
        consequence:
          'they hold only as long as packets still pass the chains of iptables, which Docker no longer maintains',
        remedy: 'set DOCK2BAN_FIREWALL=auto, or remove it',
      }),
    ];
  }
  const live = liveVariants(facts, 4);
  if (live.length > 0 && !live.includes(variant)) {
    return [
      error('firewall', {
        what: `dock2ban's rules are in iptables-${variant}, Docker's jump to DOCKER-USER is in iptables-${live[0]}`,
        consequence: "packets pass both, but nothing keeps dock2ban's rules before Docker's",
        remedy: 'restart dock2ban: docker restart dock2ban',
      }),
    ];
  }
  return [...tables].flatMap(([family, { rules }]) => {
    const jumps = compareTable(rules, rules.get(ownChain) ?? []).jumps.filter(
      ({ state }) => state !== 'unwanted',
    );
    const entry = hasLiveJump(rules) ? 'DOCKER-USER' : 'FORWARD';
    if (rules.has(ownChain) && jumps.length === 0) {
      return [
        ok('firewall', `IPv${family}: ${ownChain} comes first in ${entry} and INPUT (iptables-${variant})`),
      ];
    }
    const states = rules.has(ownChain)
      ? jumps.map(
          ({ chain, state }) =>
            `the jump from ${chain} to ${ownChain} is ${state === 'missing' ? 'missing' : 'not the first rule'}`,
        )
      : [`the chain ${ownChain} is missing`];
    return [
      error('firewall', {
        what: `IPv${family}: ${states.join(', ')}`,
        consequence: 'packets there are not blocked, or only those that the rules above let through',
        remedy:
          'a running controller repairs it within 5 seconds; if it comes back, another program changes the rules all the time (see firewall-repaired in its log)',
      }),
    ];
  });
}

/** Established flows in a flowtable never come to the forward hook again. */
function checkFlowtables({ nft }: FirewallFacts): Finding[] {
  if (nft instanceof FirewallError || nft.flowtables.length === 0) return [];
  return [
    warning('firewall', {
      what: `nftables has a flowtable: ${nft.flowtables.join(', ')}`,
      consequence: 'open connections in it bypass all rules and outlive a ban; new ones are blocked',
      remedy: 'leave published ports out of the rule with "flow add", or remove the flowtable',
    }),
  ];
}
