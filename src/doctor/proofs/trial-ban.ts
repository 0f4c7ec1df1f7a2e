import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { FirewallError } from '../../firewall/tool/errors.ts';
import type { Tools } from '../../firewall/tool/exec.ts';
import { ownChain } from '../../firewall/iptables/filter-table.ts';
import { IptablesTool } from '../../firewall/iptables/tool.ts';
import { inetTable } from '../../firewall/nft/inet-plan.ts';
import { parseListing, type Listing } from '../../firewall/nft/listing.ts';
import { allSet } from '../../firewall/bans/set-names.ts';
import { packetsOf, type CountedTable } from '../rules/counted-table.ts';
import { ok, untested, warning, type Finding } from '../finding.ts';
import { isTable, readCountedTable, type Standing } from '../facts/firewall-facts.ts';
import { nftRules } from '../rules/nft-rules.ts';

/** A rule that blocks, with the sets that an address must be in for it. */
export interface BlockingRule {
  /** The jail as its set is named. */
  readonly jail: string;
  /** A port that it closes over TCP. */
  readonly port: number;
  readonly sets: readonly string[];
  /** How many packets the rule has blocked, in what was read. */
  readonly packets: number;
}

export interface TrialOptions {
  readonly tools: Tools;
  readonly procNet: string;
  readonly knock: (port: number, from: string) => Disposable;
  /** Whether Docker may send what comes over loopback to the container by a way that passes no rule. */
  readonly isLoopbackRedirected: boolean;
}

/** The means of one backend. */
interface Trial {
  readonly rule: BlockingRule;
  readonly add: (address: string, seconds: number) => Promise<void>;
  readonly remove: (address: string) => Promise<void>;
  readonly count: () => Promise<number | undefined>;
}

/** A jail that closes everything closes this, too (discard, RFC 863). */
const anyPort = 9;
/** The kernel ends the trial after so many seconds, should this process not. */
const lifetime = 3;
/** Looks at the counter, and milliseconds between them. */
const looks = 6;
const lookEvery = 50;

/**
 * Bans one of loopback's 16 million addresses, which nobody uses, in a jail's real sets for a moment, knocks from there at a port that the jail closes, and
 * looks whether the jail's rule has counted the packet. The controller never bans loopback; should it look at its sets in that moment, it takes the
 * address out as a stranger's, which is why there are two tries.
 */
export async function tryBan(
  standing: Standing,
  { tools, procNet, knock, isLoopbackRedirected }: TrialOptions,
): Promise<Finding> {
  const trial = trialOf(standing, tools, procNet);
  if (!trial) {
    return untested(
      'enforcement',
      'no jail has a rule and a set over IPv4 for a test ban',
      'try again when a jail has banned somebody',
    );
  }
  const { jail, port } = trial.rule;
  try {
    for (let tries = 0; tries < 2; tries += 1) {
      if (await isBlocked(trial, knock)) {
        return ok(
          'enforcement',
          `a connection to port ${port} from a test address that was banned in jail ${jail} for a moment was blocked by the jail's rule`,
        );
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof FirewallError)) throw thrown;
    return untested('enforcement', `no address could be banned for a test: ${thrown.message}`, thrown.fix);
  }
  if (isLoopbackRedirected) {
    return untested(
      'enforcement',
      'without docker-proxy, what this host sends itself passes no rule: a ban can only be tested from another machine',
    );
  }
  return warning('enforcement', {
    what: `a connection over loopback to port ${port}, from a test address that was banned in jail ${jail} for a moment, was not blocked`,
    consequence: 'other banned addresses may get in, too',
    remedy:
      'see the other findings; rules in the table raw that turn off connection tracking (NOTRACK) have this effect',
  });
}

async function isBlocked(trial: Trial, knock: (port: number, from: string) => Disposable): Promise<boolean> {
  const address = `127.${randomInt(128, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const before = await trial.count();
  await trial.add(address, lifetime);
  try {
    using _connection = knock(trial.rule.port, address);
    for (let i = 0; i < looks; i += 1) {
      await delay(lookEvery);
      const now = await trial.count();
      if (before !== undefined && now !== undefined && now > before) return true;
    }
    return false;
  } finally {
    await trial.remove(address).catch(() => undefined);
  }
}

function trialOf(standing: Standing, tools: Tools, procNet: string): Trial | undefined {
  if (standing.backend === 'nftables') return nftTrial(standing.table, tools);
  const table = standing.tables.get(4);
  const text = table?.rules.get(ownChain)?.find((each) => blockingRule(table, each));
  const rule = table && text !== undefined ? blockingRule(table, text) : undefined;
  if (!rule || text === undefined) return undefined;
  const change = async (lines: readonly string[]): Promise<void> => {
    await tools.run('ipset', ['-exist', 'restore'], { input: `${lines.join('\n')}\n` });
  };
  return {
    rule,
    add: (address, seconds) => change(rule.sets.map((set) => `add ${set} ${address} timeout ${seconds}`)),
    remove: (address) => change(rule.sets.map((set) => `del ${set} ${address}`)),
    count: async () => {
      const reading = await readCountedTable(new IptablesTool(tools, procNet), standing.variant, 4);
      if (!isTable(reading)) throw reading;
      return packetsOf(reading, ownChain, text);
    },
  };
}

/** What a rule of our chain blocks; undefined: it can't be tried by TCP over loopback. */
export function blockingRule(table: CountedTable, text: string): BlockingRule | undefined {
  const [, port, set] =
    /^(?:-p tcp (?:-m conntrack --ctorigdstport (\d+)(?::\d+)? )?)?-m set --match-set (\S+) src -j (?:DROP|REJECT)\b/.exec(
      text,
    ) ?? [];
  if (set === undefined) return undefined;
  return {
    jail: set.slice(allSet(4).length + 1),
    port: Number(port ?? anyPort),
    sets: [set, allSet(4)],
    packets: packetsOf(table, ownChain, text),
  };
}

function nftTrial(table: Listing, tools: Tools): Trial | undefined {
  const rule = blockingNftRule(table);
  if (!rule) return undefined;
  const change = async (lines: readonly string[]): Promise<void> => {
    await tools.run('nft', ['-f', '-'], { input: `${lines.join('\n')}\n` });
  };
  return {
    rule,
    add: (address, seconds) =>
      change(rule.sets.map((set) => `add element ${inetTable} ${set} { ${address} timeout ${seconds}s }`)),
    remove: (address) => change(rule.sets.map((set) => `delete element ${inetTable} ${set} { ${address} }`)),
    count: async () => {
      const { stdout } = await tools.run('nft', ['-j', '-t', 'list', 'ruleset', 'inet']);
      return blockingNftRule(parseListing(stdout, inetTable))?.packets;
    },
  };
}

/** The first rule of our table that can be tried by TCP over loopback. */
export function blockingNftRule(table: Listing): BlockingRule | undefined {
  const rules = nftRules(table);
  // Sets of prefixes have the length in their name.
  const lookups = rules.filter(
    ({ set, to }) => to !== undefined && set?.startsWith(`${allSet(4)}-`) && !set.includes('/'),
  );
  const hasAll = rules.some(({ set }) => set === allSet(4));
  for (const { set, to } of hasAll ? lookups : []) {
    const rule = rules.find(
      ({ chain, verdict, protocol, isForOneAddress, packets }) =>
        chain === to &&
        (verdict === 'drop' || verdict === 'reject') &&
        (protocol === undefined || protocol === 'tcp') &&
        !isForOneAddress &&
        packets !== undefined,
    );
    if (!rule) continue;
    const jail = set!.slice(allSet(4).length + 1);
    return { jail, port: rule.port ?? anyPort, sets: [set!, allSet(4)], packets: rule.packets! };
  }
  return undefined;
}
