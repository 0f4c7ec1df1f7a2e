import { parseDuration } from '../../config/options/duration.ts';
import { jailDefinitions } from '../../config/jails/jail-definitions.ts';
import { loadConfigTree } from '../../config/conf/load-config-tree.ts';
import { defaultPolicy } from '../../config/labels/label-policy.ts';
import { resolveJails } from '../../config/resolve.ts';
import { ControlClient } from '../../control/client.ts';
import { Dock2banError } from '../../errors.ts';
import type { Output } from '../output.ts';
import { findingLine, runCheck, type CheckContext } from '../check/command.ts';
import { rememberingCheck } from '../../filter/filter-fault.ts';
import { parseClientArguments, type ClientArguments } from './arguments.ts';
import { runCommand } from './commands.ts';
import { help } from './help.ts';
import { converse, type Terminal } from './interactive.ts';
import { dumpJails } from './dump.ts';

export interface Fail2banClientContext extends CheckContext {
  readonly version: string;
  /** Where `-s` doesn't say otherwise. */
  readonly socket: string;
  readonly output: Output;
  /** Where `-i` asks for commands; default: this process's own. */
  readonly terminal?: Terminal;
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
  return told(context.output, () => answer(parseClientArguments(argv), context));
}

/** The exit code of what was done; what goes wrong is told as fail2ban-client would. */
async function told({ print, warn }: Output, act: () => Promise<number>): Promise<number> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Dock2banError)) throw error;
    (clientsOwn.has(error.code) ? warn : print)(`${error.message}\n`);
    if (error.fix !== undefined) warn(`  ${error.fix}\n`);
    return failed;
  }
}

async function answer(call: ClientArguments, given: Fail2banClientContext): Promise<number> {
  const context = { ...given, configDir: call.configDir ?? given.configDir };
  const { print } = context.output;
  if (call.time !== undefined) print(`${parseDuration(call.time)}\n`);
  else if (call.help) print(help);
  else if (call.version) print(`${call.version === 'long' ? 'dock2ban v' : ''}${context.version}\n`);
  if (call.time !== undefined || call.help || call.version) return 0;
  if (call.dump) print(await dump(context));
  if (call.test && !(await test(context))) return failed;
  const command = commandOf(call.socket ?? context.socket, context);
  if (call.interactive) return interactive(call.command, command, context);
  if (call.command.length > 0) return command(call.command);
  if (call.dump) return 0;
  print(call.test ? 'OK: configuration test is successful\n' : help);
  return call.test ? 0 : failed;
}

/** What does one command of the running controller, and prints the answer. */
function commandOf(socket: string, context: Fail2banClientContext) {
  const { configDir, builtinDir, output } = context;
  const control = new ControlClient(socket);
  const warn = (line: string): void => output.warn(`${line}\n`);
  const defines = async (jail: string): Promise<boolean> =>
    jailDefinitions(await loadConfigTree({ builtinDir, configDir })).names.includes(jail);
  return async (words: readonly string[]): Promise<number> => {
    output.print(`${await runCommand({ control, words, warn, defines })}\n`);
    return 0;
  };
}

/** `-i`, after a command that the call itself may have. */
async function interactive(
  first: readonly string[],
  command: (words: readonly string[]) => Promise<number>,
  { output, version, terminal = { input: process.stdin, output: process.stdout } }: Fail2banClientContext,
): Promise<number> {
  if (first.length > 0) await command(first);
  output.print(
    `dock2ban v${version} answers fail2ban-client's commands; exit ends this, help lists them.\n\n`,
  );
  const ended = await converse(
    {
      answer: (words) => told(output, () => command(words)),
      help,
      warn: (line) => output.warn(`${line}\n`),
    },
    terminal,
  );
  return ended ? 0 : failed;
}

async function test(context: Fail2banClientContext): Promise<boolean> {
  const { findings } = await runCheck(context);
  const errors = findings.filter(({ severity }) => severity === 'error');
  for (const finding of errors) context.output.warn(`${findingLine(finding)}\n`);
  if (errors.length > 0) context.output.warn('ERROR: test configuration failed\n');
  return errors.length === 0;
}

async function dump(context: Fail2banClientContext): Promise<string> {
  const { configDir, builtinDir, output, policy = defaultPolicy } = context;
  const tree = await loadConfigTree({ builtinDir, configDir });
  const { containers, networks } = await context.docker().catch((error: unknown) => {
    if (!(error instanceof Dock2banError)) throw error;
    return { containers: [], networks: [] };
  });
  const { jails, problems } = resolveJails({
    tree,
    containers,
    networks,
    policy,
    compileFilter: rememberingCheck(),
  });
  for (const { severity, where, message } of problems)
    if (severity === 'warn') output.warn(`${where}: ${message}\n`);
  return dumpJails(jails);
}
