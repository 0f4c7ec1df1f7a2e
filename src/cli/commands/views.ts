import type { Argv } from 'yargs';
import { shells } from '../completion.ts';
import type { Output, Screen } from '../by-hand.ts';
import {
  completionTool,
  exportTool,
  importTool,
  logsTool,
  statsTool,
  topTool,
  whyTool,
} from './view-tools.ts';

export interface CommandContext {
  /** The default of `--socket`. */
  readonly socket: string;
  readonly output: Output & Screen;
  /** Runs a command; its result, or its error, becomes the exit code. */
  readonly answer: (command: () => Promise<number>) => Promise<void>;
}

/** Adds the commands with which an operator looks at things, and takes them along. */
export function addViewCommands(parser: Argv, { socket, output, answer }: CommandContext): void {
  const withSocket = <Options>(builder: Argv<Options>) =>
    builder.option('socket', { type: 'string', default: socket, describe: "The controller's unix socket" });
  const withJson = <Options>(builder: Argv<Options>) =>
    withSocket(builder).option('json', { type: 'boolean', default: false, describe: 'Print JSON' });
  parser
    .command(
      'logs',
      'The newest events, as run prints them; with -f also those that come',
      (builder) =>
        withJson(builder)
          .option('follow', {
            alias: 'f',
            type: 'boolean',
            default: false,
            describe: 'Go on with what comes',
          })
          .option('lines', {
            alias: 'n',
            type: 'number',
            describe: 'How many past events (default: all that are held; with -f: 10)',
          })
          .option('jail', { alias: 'j', type: 'string', describe: 'Of this jail alone' })
          .example('$0 logs -f', 'watch failures and bans as they happen')
          .example('$0 logs -n 20 --jail sshd', 'the last 20 events of a jail')
          .example('$0 logs -f --json', 'for programs: one JSON object a line'),
      (argv) => answer(() => logsTool({ ...argv, lines: argv.lines, jail: argv.jail }, output)),
    )
    .command(
      'stats',
      'What happened since the start, by jail and log, and who was banned most often',
      (builder) => withJson(builder).example('$0 stats --json', 'for programs'),
      (argv) => answer(() => statsTool(argv, output)),
    )
    .command(
      'top',
      'Which jails are under attack now; on a terminal refreshed each second',
      (builder) => withJson(builder).example('$0 top', 'ends with Ctrl-C').example('$0 top | cat', 'once'),
      (argv) => answer(() => topTool(argv, output)),
    )
    .command(
      'why <ip>',
      'Everything that concerns an address: bans, failures, ignore rules, history, log lines',
      (builder) =>
        withJson(builder)
          .positional('ip', { type: 'string', demandOption: true, describe: 'IP address or prefix' })
          .example('$0 why 203.0.113.7', 'who banned it, until when, and for which log lines')
          .example('$0 why 2001:db8::1', 'IPv6: also what its /64 did'),
      (argv) => answer(() => whyTool(argv, output)),
    )
    .command(
      'export [file]',
      'All bans, in force and remembered, as JSON',
      (builder) =>
        withSocket(builder)
          .positional('file', { type: 'string', default: '-', describe: 'File; -: print' })
          .example('$0 export bans.json', 'to a file that only its owner can read')
          .example('docker exec dock2ban $0 export > bans.json', 'to the host'),
      (argv) => answer(() => exportTool(argv)),
    )
    .command(
      'import <file>',
      "Take over bans and history from fail2ban's database or an export",
      (builder) =>
        withJson(builder)
          .positional('file', {
            type: 'string',
            demandOption: true,
            describe: "fail2ban's database, or a file made by export",
          })
          .example('$0 import /var/lib/fail2ban/fail2ban.sqlite3', 'move over from fail2ban')
          .example('$0 import bans.json', 'what export wrote, here or on another host'),
      (argv) => answer(() => importTool(argv, output)),
    )
    .command(
      'completion <shell>',
      'What makes a shell complete commands, options and jails',
      (builder) =>
        builder
          .positional('shell', { choices: shells, demandOption: true, describe: 'Shell' })
          .example('source <($0 completion bash)', 'in ~/.bashrc')
          .example('$0 completion fish | source', 'in ~/.config/fish/config.fish'),
      (argv) => answer(async () => completionTool(argv.shell, output)),
    );
}
