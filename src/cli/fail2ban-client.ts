import { canonicalPrefix, contains } from '../address.ts';
import { loadConfigTree } from '../config/load-config-tree.ts';
import { resolveJails } from '../config/resolve.ts';
import type { BanStatus } from '../control/api.ts';
import { ControlClient } from '../control/client.ts';
import { Dock2banError } from '../errors.ts';
import { localTime } from '../local-time.ts';
import type { Output } from './by-hand.ts';
import { findingLine, runCheck, type CheckContext } from './check/command.ts';
import { compileProblem } from './check/filters.ts';
import { parseClientArguments, type ClientArguments } from './fail2ban-client-arguments.ts';
import { dumpJails } from './fail2ban-dump.ts';
import { pythonRepr } from './python-repr.ts';
import { jailTree, summaryTree } from './status.ts';

export interface Fail2banClientContext extends CheckContext {
  readonly version: string;
  /** Where `-s` doesn't say otherwise. */
  readonly socket: string;
  readonly output: Output;
}

/** fail2ban-client's exit code for whatever goes wrong. */
const failed = 255;

const help = `Usage: fail2ban-client [OPTIONS] <COMMAND>

fail2ban-client's calls, answered by dock2ban.

Options:
    -c, --conf <DIR>      configuration directory
    -s, --socket <FILE>   dock2ban's control socket
    -d                    print the resolved jails
    -t, --test            check the configuration
    -V, --version         print the version
    -h, --help            print this help

Commands:
    ping                              is dock2ban there?
    version                           its version
    status [JAIL]                     all jails, or one
    banned [IP]...                    every ban by jail, or the jails that ban these addresses
    get <JAIL> banip [--with-time]    the jail's bans
    set <JAIL> banip <IP>...          ban
    set <JAIL> unbanip <IP>...        unban
    unban <IP>... | --all             unban in every jail
`;

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
    // fail2ban-client answers on stdout where the server refuses.
    (error.code === 'no-such-jail' ? print : warn)(`${error.message}\n`);
    if (error.fix !== undefined) warn(`  ${error.fix}\n`);
    return failed;
  }
}

async function answer(call: ClientArguments, given: Fail2banClientContext): Promise<number> {
  const context = { ...given, configDir: call.configDir ?? given.configDir };
  const { print } = context.output;
  if (call.help || call.version) {
    print(call.help ? help : `${context.version}\n`);
    return 0;
  }
  if (call.dump) print(await dump(context));
  if (call.test && !(await test(context))) return failed;
  if (call.command.length > 0) {
    print(await command(new ControlClient(call.socket ?? context.socket), call.command, context));
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

async function dump({ configDir, builtinDir, containers, output }: Fail2banClientContext): Promise<string> {
  const tree = await loadConfigTree({ builtinDir, configDir });
  const running = await containers().catch((error: unknown) => {
    if (!(error instanceof Dock2banError)) throw error;
    return [];
  });
  const { jails, problems } = resolveJails({ tree, containers: running, compileFilter: compileProblem });
  for (const { severity, where, message } of problems)
    if (severity === 'warn') output.warn(`${where}: ${message}\n`);
  return dumpJails(jails);
}

async function command(
  client: ControlClient,
  words: readonly string[],
  context: Fail2banClientContext,
): Promise<string> {
  const [name = '', ...rest] = words;
  switch (name) {
    case 'ping':
      await client.status();
      return 'Server replied: pong\n';
    case 'version':
      return `${(await client.status()).version}\n`;
    case 'status':
      return rest[0] === undefined
        ? summaryTree(await client.status())
        : jailTree(await client.jail(rest[0]));
    case 'banned':
      return banned(client, rest);
    case 'unban':
      if (rest.length === 0) throw invalid(words);
      return counted(await client.unban(undefined, rest[0] === '--all' ? [] : rest), context);
    case 'get':
      return bans(client, words);
    case 'set':
      return set(client, words, context);
    default:
      throw invalid(words);
  }
}

async function banned(client: ControlClient, ips: readonly string[]): Promise<string> {
  const byJail = Object.entries(await client.banned());
  if (ips.length === 0) return `${pythonRepr(byJail.map(([jail, list]) => ({ [jail]: list })))}\n`;
  const jails = ips.map((text) => {
    const ip = canonicalPrefix(text) ?? text;
    const covers = (each: string): boolean => each === ip || (each.includes('/') && contains(each, ip));
    return byJail.filter(([, list]) => list.some(covers)).map(([jail]) => jail);
  });
  return `${pythonRepr(jails)}\n`;
}

async function set(
  client: ControlClient,
  words: readonly string[],
  context: Fail2banClientContext,
): Promise<string> {
  const [, jail, what, ...ips] = words;
  const addresses = ips.filter((ip) => ip !== '--report-absent');
  if (jail === undefined || addresses.length === 0) throw invalid(words);
  switch (what) {
    case 'banip':
      return counted(await client.ban(jail, addresses), context);
    case 'unbanip':
      return counted(await client.unban(jail, addresses), context);
    default:
      throw invalid(words);
  }
}

async function bans(client: ControlClient, words: readonly string[]): Promise<string> {
  const [, jail, what, form] = words;
  if (jail === undefined || what !== 'banip') throw invalid(words);
  const { banned: list } = await client.jail(jail);
  if (form === '--with-time') return `${list.map(timedBan).join('\n')}\n`;
  return `${list.map(({ ip }) => ip).join(form ?? ' ')}\n`;
}

/** `192.0.2.9 \t2026-11-22 13:58:40 + 600 = 2026-11-22 14:08:40`. */
function timedBan({ ip, since, until }: BanStatus): string {
  const start = new Date(since);
  if (until === null) return `${ip} \t${localTime(start)} + -1 = 9999-12-31 23:59:59`;
  const end = new Date(until);
  const seconds = Math.round((end.getTime() - start.getTime()) / 1000);
  return `${ip} \t${localTime(start)} + ${seconds} = ${localTime(end)}`;
}

function counted(
  { count, refused }: { count: number; refused: readonly { ip: string; reason: string }[] },
  { output }: Fail2banClientContext,
): string {
  for (const { ip, reason } of refused) output.warn(`${ip}: ${reason}\n`);
  return `${count}\n`;
}

function invalid(words: readonly string[]): Dock2banError {
  return new Dock2banError('usage', `dock2ban has no answer to: fail2ban-client ${words.join(' ')}`, {
    fix: 'fail2ban-client --help lists what it answers; jails are changed in jail.local or by label',
  });
}
