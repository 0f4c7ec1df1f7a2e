import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { serveControl } from '../control/server.ts';
import { engineConnector } from '../docker/engine/engine-connector.ts';
import { Dock2banError, messageOf } from '../errors.ts';
import { canonicalPrefix } from '../net/address.ts';
import { boundBacktracking } from '../filter/backtracking.ts';
import { chooseFirewall } from '../firewall/choose.ts';
import { DryRunFirewall } from '../firewall/dry-run.ts';
import { systemTools } from '../firewall/tool/exec.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { NeverBan } from '../firewall/bans/never-ban.ts';
import { announcePresence } from '../control/presence.ts';
import { reachedAt } from '../sources/syslog/listen-address.ts';
import { Store } from '../store/store.ts';
import { checkFilter } from '../filter/filter-fault.ts';
import type { CompileFilter } from '../config/jails/checked-filters.ts';
import { watchConfig } from './jails/config-watch.ts';
import { ConfigurationFiles } from './jails/configuration-files.ts';
import { Daemon } from './daemon.ts';
import { type Logger, openLog } from './events/logger.ts';
import type { RunOptions } from './options.ts';
import { Quarantine } from './quarantine.ts';
import { receiverSettings } from './reading/receiver-settings.ts';
import { Watchdog } from './watchdog.ts';

/** The built-in jails and filters, beside `dist/` or `src/`. */
const builtinDir = fileURLToPath(new URL('../../filters', import.meta.url));

/** Milliseconds from the signal to the end, also while a tool of the firewall hangs. */
const stopWithin = 1500;

/** The reason of an end that no operator asked for. */
const fault = Symbol('fault');

/**
 * `dock2ban run`: runs until SIGTERM or SIGINT.
 * @returns the exit code
 */
export async function run(options: RunOptions, version: string): Promise<number> {
  boundBacktracking();
  const { logger, flush } = openLog(options.logFormat, options.logLevel);
  const stop = new AbortController();
  const onSignal = (): void => {
    stop.abort();
    // What is left to end can be cut off: the kernel's state is whole at every moment. A flush is let finish.
    if (options.onStop === 'keep') setTimeout(() => process.exit(0), stopWithin).unref();
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, onSignal);
  // Without order nothing can be trusted any more: what starts the process again begins with what is stored.
  const onFault = (error: unknown): void => {
    if (stop.signal.reason === fault) return;
    logger.fatal(
      { event: 'failed', err: error },
      `Internal error: ${messageOf(error)}; dock2ban ends, and bans stay in the kernel (let it be started again: restart: unless-stopped; please report it)`,
    );
    stop.abort(fault);
    setTimeout(() => process.exit(1), stopWithin).unref();
  };
  for (const name of ['uncaughtException', 'unhandledRejection'] as const) process.on(name, onFault);
  try {
    await runUntil(stop.signal, options, version, logger);
    return stop.signal.reason === fault ? 1 : 0;
  } catch (error) {
    const fix = error instanceof Dock2banError ? error.fix : undefined;
    logger.fatal(
      { event: 'failed', fix, err: error },
      messageOf(error) + (fix === undefined ? '' : ` (${fix})`),
    );
    return 1;
  } finally {
    await flush();
  }
}

/** @throws Dock2banError `usage` */
function parseIgnored(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => {
      const prefix = canonicalPrefix(entry);
      if (prefix !== undefined) return prefix;
      throw new Dock2banError('usage', `${JSON.stringify(entry)} in --ignoreip is no address or network`, {
        fix: 'write --ignoreip 192.0.2.7,2001:db8::/32; DNS names and files go into ignoreip of jail.local',
      });
    });
}

async function runUntil(
  signal: AbortSignal,
  options: RunOptions,
  version: string,
  logger: Logger,
): Promise<void> {
  const receiver = receiverSettings(options.receiver);
  const receivers = () => (receiver?.listen ?? []).flatMap((address) => reachedAt(address, hostAddresses()));
  const { configDir } = options;
  const { labels } = options;
  const quarantine = new Quarantine(options.stateDir);
  const watchdog = new Watchdog(options, quarantine.lastStall, (error) =>
    logger.error({ event: 'fault', err: error }, `Internal error: the watchdog ended: ${messageOf(error)}`),
  );
  const check = watchdog.overCompiling(checkFilter);
  const compileFilter: CompileFilter = (spec) => quarantine.refusal(spec) ?? check(spec);
  const files = new ConfigurationFiles({ builtinDir, configDir, compileFilter, receivers, policy: labels });
  const { configuration, settings } = await files.read();
  const { purgeAge } = settings;
  const daemon = new Daemon({
    version,
    logger,
    connectDocker: engineConnector(options.dockerHost),
    createFirewall: (neverBan, engineBackend) =>
      createFirewall(options.firewall, neverBan, engineBackend, logger),
    dryRun: options.firewall === 'none',
    resolve: configuration,
    reread: async () => (await files.read()).configuration,
    openStore: (hooks) => new Store({ stateDir: options.stateDir, purgeAge, ...hooks }),
    quarantine,
    signOf: (jail, filter) => watchdog.signOf(jail, filter),
    ignoreip: parseIgnored(options.ignoreip),
    syslogFile: options.syslogFile,
    labels,
    ...(receiver && { receiver }),
  });
  const control = daemon.control();
  if (options.firewall !== 'none' && !(await announcePresence())) {
    logger.error(
      { event: 'second-controller' },
      'Another dock2ban enforces on this host: both write the same rules and sets, and undo what the other does (stop one of them)',
    );
  }
  const reload = () => control.live.reload(undefined);
  const onHangUp = (): void => void reload();
  const server = await serveControl(options.socket, control);
  process.on('SIGHUP', onHangUp);
  const ended = new AbortController();
  const watching = options.watchConfig ? watchConfig(configDir, ended.signal, reload) : undefined;
  try {
    await daemon.run(signal);
  } finally {
    process.off('SIGHUP', onHangUp);
    ended.abort();
    await watching;
    await server.close();
    await watchdog.stop();
    await daemon.stop(options.onStop === 'flush' && signal.aborted && signal.reason !== fault);
  }
}

function hostAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

function createFirewall(
  choice: RunOptions['firewall'],
  neverBan: () => NeverBan,
  engineBackend: () => string | undefined,
  logger: Logger,
): Firewall {
  if (choice !== 'none') return chooseFirewall({ choice, tools: systemTools, neverBan, engineBackend });
  return new DryRunFirewall({ neverBan, report: (text) => logger.info({ event: 'dry-run' }, text) });
}
