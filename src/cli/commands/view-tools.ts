import type { Argv } from 'yargs';
import { type shells, completedJails, completionScript } from '../completion.ts';
import type { Output, Screen } from '../by-hand.ts';
import { wantsColors } from '../../text/colors.ts';
import { ControlClient } from '../../control/client.ts';
import { Dock2banError } from '../../errors.ts';

/** A signal that ends with SIGINT and SIGTERM, and when nobody reads what is printed any more. */
function untilInterrupted(): AbortSignal {
  const end = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => end.abort());
  process.stdout.on('error', () => end.abort());
  return end.signal;
}

/** `dock2ban logs`. */
export async function logsTool(
  argv: {
    readonly socket: string;
    readonly follow: boolean;
    readonly lines: number | undefined;
    readonly jail: string | undefined;
    readonly json: boolean;
  },
  screen: Screen,
): Promise<number> {
  const { lines } = argv;
  if (lines !== undefined && !(Number.isInteger(lines) && lines >= 0)) {
    throw new Dock2banError('usage', '--lines takes a whole number');
  }
  const { logs } = await import('../logs.ts');
  const colors = wantsColors(process.stdout, process.env);
  return logs(new ControlClient(argv.socket), argv, { screen, colors, signal: untilInterrupted() });
}

/** `dock2ban top`. */
export async function topTool(
  { socket, json }: { readonly socket: string; readonly json: boolean },
  screen: Screen,
): Promise<number> {
  const { top } = await import('../top.ts');
  const { stdout } = process;
  const terminal = stdout.isTTY
    ? () => ({ rows: stdout.rows || 24, columns: stdout.columns || 80 })
    : undefined;
  return top(new ControlClient(socket), { json, terminal, signal: untilInterrupted() }, screen);
}

/** `dock2ban stats`. */
export async function statsTool(
  { socket, json }: { readonly socket: string; readonly json: boolean },
  { print }: Output,
): Promise<number> {
  const { stats } = await import('../stats.ts');
  return stats(new ControlClient(socket), json, print);
}

/** `dock2ban why IP`. */
export async function whyTool(
  { socket, ip, json }: { readonly socket: string; readonly ip: string; readonly json: boolean },
  { print }: Output,
): Promise<number> {
  const { why } = await import('../why.ts');
  return why(new ControlClient(socket), ip, json, print);
}

/** `dock2ban export`. */
export async function exportTool({
  socket,
  file,
}: {
  readonly socket: string;
  readonly file: string;
}): Promise<number> {
  const { exportBans } = await import('../export.ts');
  return exportBans(new ControlClient(socket), file, process.stdout);
}

/** `dock2ban import FILE`. */
export async function importTool(
  { socket, file, json }: { readonly socket: string; readonly file: string; readonly json: boolean },
  output: Output,
): Promise<number> {
  const [{ importBans }, { readFail2banDatabase }] = await Promise.all([
    import('../import.ts'),
    import('../../store/fail2ban-database.ts'),
  ]);
  const client = new ControlClient(socket);
  return importBans(file, json, { client, readDatabase: readFail2banDatabase, now: Date.now, output });
}

/** `dock2ban completion SHELL`. */
export function completionTool(shell: (typeof shells)[number], { print }: Output): number {
  print(completionScript(shell));
  return 0;
}

/** What a shell's completion asks by; the words so far follow. */
export const completionRequest = '--get-yargs-completions';

/** Prints what may stand where the last word is: commands and options, which yargs knows, and jails, which the controller knows. */
export async function completeTool(
  parser: Argv,
  { socket, words }: { readonly socket: string; readonly words: readonly string[] },
  { print }: Output,
): Promise<number> {
  const line = words.slice(1);
  const jails = await completedJails(new ControlClient(socket), line, process.env['SHELL'] ?? '');
  // First: for what belongs to a command, yargs prints by itself, and ends the process.
  print(jails.map((word) => `${word}\n`).join(''));
  const known = await parser.getCompletion(line);
  print(known.map((word) => `${word}\n`).join(''));
  // A controller that does not answer is not waited for.
  process.exit(0);
}
