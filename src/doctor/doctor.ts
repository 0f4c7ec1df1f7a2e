import { contains, type Family } from '../net/address.ts';
import { loadConfigTree } from '../config/conf/load-config-tree.ts';
import type { LabelPolicy } from '../config/labels/label-policy.ts';
import { resolveJails } from '../config/resolve.ts';
import { Dock2banError, messageOf } from '../errors.ts';
import { boundBacktracking } from '../filter/backtracking.ts';
import { rememberingCheck } from '../filter/filter-fault.ts';
import { isNftablesEngine } from '../firewall/backend-choice.ts';
import { FirewallError } from '../firewall/tool/errors.ts';
import type { Tools } from '../firewall/tool/exec.ts';
import { NeverBan } from '../firewall/bans/never-ban.ts';
import { parseListenAddresses, reachedAt } from '../sources/syslog/listen-address.ts';
import { checkAccess } from './checks/check-access.ts';
import { checkIPv6, checkJails, type Configured } from './checks/check-containers.ts';
import { checkCorroboration } from './checks/check-corroboration.ts';
import { checkIngress } from './checks/check-ingress.ts';
import { checkEngine } from './checks/check-engine.ts';
import { checkFirewall } from './checks/check-firewall.ts';
import { checkForeignRules } from './checks/check-foreign-rules.ts';
import { checkSavedRules } from './checks/check-saved-rules.ts';
import { expandGlob } from '../sources/file/glob.ts';
import { checkController, checkPrivileges, checkState } from './checks/check-host.ts';
import { checkClock, checkSightings, checkSyslogFile, type Sample } from './checks/check-logs.ts';
import type { ControllerView } from './facts/controller-view.ts';
import { readEngine, type EngineFacts } from './facts/engine-facts.ts';
import { untested, worstFirst, type Finding } from './finding.ts';
import { readFirewall, standingsIn, type FirewallFacts, type Standing } from './facts/firewall-facts.ts';
import { readHost, type HostFacts } from './facts/host-facts.ts';
import { readSavedRules } from './facts/saved-rules.ts';
import { readTail, type FileTail } from './facts/log-sample.ts';
import { knock, sendToSelf } from './proofs/loopback.ts';
import { openMeter } from './proofs/meter.ts';
import { proveCrossing } from './proofs/prove-crossing.ts';
import { sightingsOf } from './checks/sightings.ts';
import { tryBan } from './proofs/trial-ban.ts';

export interface DoctorOptions {
  readonly dockerHost: string;
  readonly configDir: string;
  /** `filters/` as shipped. */
  readonly builtinDir: string;
  readonly policy: LabelPolicy;
  readonly stateDir: string;
  /** The host's syslog file as this process sees it. */
  readonly syslogFile: string;
  /** Where the controller receives syslog, as it was told: `udp://127.0.0.1:5514,…`; empty: nowhere. */
  readonly syslogListen: string;
  /** How long to wait for forwarded packets, in milliseconds. */
  readonly waitMs: number;
  readonly controller: ControllerView;
  readonly tools: Tools;
  /** `/proc/net` of the network namespace in which the tools work. */
  readonly procNet: string;
  /** Ends what takes long; what was found by then is told. */
  readonly signal: AbortSignal;
}

/**
 * Looks at everything that bans need on this host, and proves that they hold, as far as that can be done from here. It writes to the kernel only for the
 * proofs, and leaves nothing behind. @returns the worst first
 */
export async function diagnose(options: DoctorOptions): Promise<Finding[]> {
  boundBacktracking();
  const { tools, procNet, controller, stateDir } = options;
  const [host, engine, firewall] = await Promise.all([
    readHost(stateDir),
    readEngine(options.dockerHost, options.signal),
    readFirewall(tools, procNet),
  ]);
  const standings = standingsIn(firewall);
  const answer = engine instanceof Dock2banError ? undefined : engine;
  const wanted = await resolveWanted(options, answer, host);
  return worstFirst([
    ...checkController(controller),
    ...checkPrivileges(host),
    ...checkEngine(engine, host),
    ...checkFirewall({ facts: firewall, standings, engine: answer, controller }),
    ...checkIngress(firewall, [...wanted.jails, ...(wanted.access ?? [])]),
    ...checkCorroboration(firewall, wanted.jails, controller.status !== undefined),
    ...checkForeignRules(standings),
    ...checkSavedRules(await readSavedRules()),
    ...checkJails(wanted, answer?.containers),
    ...checkAccess(wanted.access ?? [], controller),
    ...(answer ? checkIPv6(answer.containers, host.addresses, firewall.userlandProxy) : []),
    ...(await checkLogs(options, wanted, answer, host)),
    ...checkState(host, stateDir),
    ...(await prove(options, firewall, standings, answer)),
  ]);
}

async function resolveWanted(
  { configDir, builtinDir, policy, syslogListen }: DoctorOptions,
  engine: EngineFacts | undefined,
  { addresses }: HostFacts,
): Promise<Configured> {
  const tree = await loadConfigTree({ builtinDir, configDir });
  const { containers = [], networks = [] } = engine ?? {};
  const receivers = parseListenAddresses(syslogListen).flatMap((address) => reachedAt(address, addresses));
  return resolveJails({
    tree,
    containers: containers.map(({ snapshot }) => snapshot),
    networks,
    receivers,
    policy,
    compileFilter: rememberingCheck(),
  });
}

async function checkLogs(
  { syslogFile, signal }: DoctorOptions,
  { jails }: Configured,
  engine: EngineFacts | undefined,
  host: HostFacts,
): Promise<Finding[]> {
  const programs = jails.flatMap(({ sources }) =>
    sources.flatMap((source) =>
      source.kind === 'syslog' && source.via !== 'receiver' ? [source.program] : [],
    ),
  );
  let tail: FileTail | undefined;
  let reason: string | undefined;
  if (programs.length > 0) {
    try {
      tail = await readTail(syslogFile);
    } catch (thrown) {
      reason = messageOf(thrown);
    }
  }
  const findings = [
    ...checkSyslogFile(syslogFile, [...new Set(programs)], tail, reason),
    ...(tail ? checkClock(syslogFile, tail) : []),
  ];
  const samples: Sample[] = [];
  for (const jail of jails) {
    const files = async function* (pattern: string): AsyncGenerator<string> {
      yield* (await expandGlob(pattern)).files;
    };
    const syslog = tail && { path: syslogFile, tail };
    samples.push(...(await sightingsOf(jail, { engine, syslog, signal, files })));
  }
  return [...findings, ...checkSightings(samples, neverBanOf(engine, host))];
}

/** Gateways, whether Docker names them or not: 20.10 doesn't name that of its first network. */
function neverBanOf(engine: EngineFacts | undefined, { addresses }: HostFacts): NeverBan {
  const bridges = (engine?.networks ?? []).filter(
    ({ driver }) => driver !== 'macvlan' && driver !== 'ipvlan',
  );
  const subnets = bridges.flatMap((network) => network.subnets);
  const unnamed = addresses.filter((address) => subnets.some((subnet) => contains(subnet, address)));
  return new NeverBan({
    host: addresses,
    gateways: [...bridges.flatMap(({ gateways }) => gateways), ...unnamed],
    dockerSubnets: subnets,
  });
}

async function prove(
  { tools, procNet, waitMs, signal, controller }: DoctorOptions,
  firewall: FirewallFacts,
  standings: readonly Standing[],
  engine: EngineFacts | undefined,
): Promise<Finding[]> {
  const backend = controller.status?.firewall.backend;
  const standing = standings.find((each) => each.backend === backend) ?? standings[0];
  if (!standing)
    return [untested('enforcement', "nothing can be proven without rules of dock2ban's in the kernel")];
  const redirected = isNftablesEngine(engine?.firewallBackend);
  const findings = [
    await tryBan(standing, {
      tools,
      procNet,
      knock,
      isLoopbackRedirected: redirected || firewall.userlandProxy === false,
    }),
  ];
  try {
    const meter = await openMeter(standing, tools, procNet);
    try {
      const { families } = firewall;
      findings.push(
        ...(await proveCrossing({
          meter,
          families,
          forwarded: forwardedFamilies(engine),
          waitMs,
          signal,
          sendToSelf,
        })),
      );
    } finally {
      await meter.close();
    }
  } catch (thrown) {
    if (!(thrown instanceof FirewallError)) throw thrown;
    findings.push(
      untested(
        'enforcement',
        `packets that cross dock2ban's rules can't be counted: ${thrown.message}`,
        thrown.fix,
      ),
    );
  }
  return findings;
}

/** IPv6 comes to containers only where one that is guarded has an address of it. */
function forwardedFamilies(engine: EngineFacts | undefined): Family[] {
  const { containers = [] } = engine ?? {};
  return containers.some(({ networks }) => networks.some(({ hasIPv6 }) => hasIPv6)) ? [4, 6] : [4];
}
