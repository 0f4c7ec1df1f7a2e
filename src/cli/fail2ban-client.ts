import { parseDuration } from '../config/duration.ts';
import { loadConfigTree } from '../config/load-config-tree.ts';
import { resolveJails } from '../config/resolve.ts';
import { ControlClient } from '../control/client.ts';
import { Dock2banError } from '../errors.ts';
import type { Output } from './by-hand.ts';
import { findingLine, runCheck, type CheckContext } from './check/command.ts';
import { compileProblem } from './check/filters.ts';
import { parseClientArguments, type ClientArguments } from './fail2ban-client/arguments.ts';
import { runCommand } from './fail2ban-client/commands.ts';
import { help } from './fail2ban-client/help.ts';
import { dumpJails } from './fail2ban-dump.ts';

export interface Fail2banClientContext extends CheckContext {
  readonly version: string;
  /** Where `-s` doesn't say otherwise. */
  readonly socket: string;
  readonly output: Output;
}

/** fail2ban-client's exit code for whatever goes wrong. */
const failed = 255;

/** What fail2ban-client finds out without the server's answer: it goes to stderr. All else that goes wrong, to stdout. */
const clientsOwn: ReadonlySet<string> = new Set(['usage', 'unreachable', 'failed', 'config']);

/** `fail2ban-client …`: the calls that scripts make, with fail2ban-client's answers and exit codes (0, 255). */
export async function fail2banClient(
  argv: readonly string[],
  context: Fail2banClientContext,
): Promise<number> {
  const { print, warn } = context.output;
  try {
    return await answer(parseClientArguments(argv), context);
  } catch (error) {
    if (!(error instanceof Dock2banError)) throw error;
    (clientsOwn.has(error.code) ? warn : print)(`${error.message}\n`);
    if (error.fix !== undefined) warn(`  ${error.fix}\n`);
    return failed;
  }
}

async function answer(call: ClientArguments, given: Fail2banClientContext): Promise<number> {
  const context = { ...given, configDir: call.configDir ?? given.configDir };
  const { print, warn } = context.output;
  if (call.time !== undefined) print(`${parseDuration(call.time)}\n`);
  else if (call.help) print(help);
  else if (call.version) print(`${call.version === 'long' ? 'dock2ban v' : ''}${context.version}\n`);
  if (call.time !== undefined || call.help || call.version) return 0;
  if (call.dump) print(await dump(context));
  if (call.test && !(await test(context))) return failed;
  if (call.command.length > 0) {
    const control = new ControlClient(call.socket ?? context.socket);
    const told = (line: string): void => warn(`${line}\n`);
    print(`${await runCommand({ control, words: call.command, warn: told })}\n`);
    return 0;
  }
  if (call.dump) return 0;
  print(call.test ? 'OK: configuration test is successful\n' : help);
  return call.test ? 0 : failed;
}

async function test(context: Fail2banClientContext): Promise<boolean> {
  const { findings } = await runCheck(context);
  const errors = findings.filter(({ severity }) => severity === 'error');
  for (const finding of errors) context.output.warn(`${findingLine(finding)}\n`);
  if (errors.length > 0) context.output.warn('ERROR: test configuration failed\n');
  return errors.length === 0;
}

async function dump(context: Fail2banClientContext): Promise<string> {
  const { configDir, builtinDir, output } = context;
  const tree = await loadConfigTree({ builtinDir, configDir });
  const none = (error: unknown): [] => {
    if (!(error instanceof Dock2banError)) throw error;
    return [];
  };
  const containers = await context.containers().catch(none);
  const networks = (await context.networks?.().catch(none)) ?? [];
  const { jails, problems } = resolveJails({ tree, containers, networks, compileFilter: compileProblem });
  for (const { severity, where, message } of problems)
    if (severity === 'warn') output.warn(`${where}: ${message}\n`);
  return dumpJails(jails);
}
