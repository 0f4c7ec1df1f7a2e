#!/usr/bin/env node
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import { banned } from './cli/banned.ts';
import { ban, type Output, type Screen, unban } from './cli/by-hand.ts';
import { exitCode, reportError } from './cli/exit-code.ts';
import { reload } from './cli/reload.ts';
import { status } from './cli/status.ts';
import { defaultLogRoots, labelPolicy } from './config/labels/label-policy.ts';
import { ControlClient } from './control/client.ts';
import { launch } from './daemon/launch.ts';
import { firewallChoices, logFormats, logLevels, onStopChoices } from './daemon/options.ts';
import { Dock2banError } from './errors.ts';
import { plainText } from './text/plain-text.ts';
import { doctorOptions, doctorTool, uninstallTool } from './cli/commands/host.ts';
import { addViewCommands } from './cli/commands/views.ts';
import { completeTool, completionRequest } from './cli/commands/view-tools.ts';
import { checkTool, environment, regexTool, toolNamed } from './cli/commands/plain-tools.ts';

const { version }: { version: string } = createRequire(import.meta.url)('../package.json');

const here = environment();

const output: Output & Screen = {
  print: (text) => void process.stdout.write(plainText(text)),
  paint: (text) => void process.stdout.write(text),
  warn: (text) => void process.stderr.write(plainText(text)),
};

/** Runs a command; its result, or its error, becomes the exit code. */
async function answer(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command();
  } catch (error) {
    process.exitCode = reportError(error, output.warn);
  }
}

function withSocket<Options>(builder: Argv<Options>) {
  return builder.option('socket', {
    type: 'string',
    default: here.socket,
    describe: "The controller's unix socket",
  });
}

function withJson<Options>(builder: Argv<Options>) {
  return withSocket(builder).option('json', { type: 'boolean', default: false, describe: 'Print JSON' });
}

function withConfiguration<Options>(builder: Argv<Options>) {
  return builder
    .option('docker-host', {
      type: 'string',
      default: here.dockerHost,
      defaultDescription: '$DOCKER_HOST, else unix:///var/run/docker.sock',
      describe: 'Where the Docker engine listens',
    })
    .option('config-dir', {
      type: 'string',
      default: here.configDir,
      describe: "fail2ban's configuration (jail.local, filter.d, …); may be absent",
    });
}

const ips = { type: 'string', array: true, describe: 'IP addresses and prefixes (203.0.113.0/24)' } as const;

const words = hideBin(process.argv);
const tool =
  words[0] === 'regex'
    ? () => regexTool('dock2ban regex', words.slice(1), { version, output })
    : toolNamed(basename(process.argv[1] ?? ''))?.bind(undefined, words, { version, output });
if (tool) await answer(tool);
else await dock2ban();

async function dock2ban(): Promise<void> {
  const commands = yargs(words)
    .scriptName('dock2ban')
    .usage(
      '$0 <command>\n\nBans intruders from Docker hosts. Every option is also an environment variable: DOCK2BAN_LOG_LEVEL=debug',
    )
    .version(version)
    .strict()
    .demandCommand(1, 'Name a command.')
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .command(
      'run',
      'Run the controller: watch Docker, read logs, ban',
      (builder) =>
        // Only here: a variable that other commands don't know would be wrong usage there.
        withConfiguration(withSocket(builder))
          .env('DOCK2BAN')
          .option('watch-config', {
            type: 'boolean',
            default: false,
            describe: 'Take changes of the configuration at once, without `dock2ban reload`',
          })
          .option('state-dir', {
            type: 'string',
            default: '/var/lib/dock2ban',
            describe: 'Where bans and positions in logs are remembered; keep it on a volume',
          })
          .option('syslog-file', {
            type: 'string',
            default: '/var/log/syslog',
            describe: "The host's syslog file; mount its folder, not the file",
          })
          .option('syslog-listen', {
            type: 'string',
            default: '',
            describe:
              'Receive syslog: udp://127.0.0.1:5514,tcp://127.0.0.1:5514,unix:///run/dock2ban/syslog.sock,tls://…',
          })
          .option('syslog-allow', {
            type: 'string',
            default: '',
            describe: 'Senders that may use listeners beyond this host: 192.0.2.0/24,…',
          })
          .option('syslog-tls-cert', { type: 'string', describe: 'Certificate for tls:// (PEM)' })
          .option('syslog-tls-key', { type: 'string', describe: 'Its key (PEM)' })
          .option('syslog-tls-client-ca', {
            type: 'string',
            describe: 'Let in only senders with a certificate of this authority (PEM)',
          })
          .option('ignoreip', {
            type: 'string',
            default: '',
            describe: 'Addresses and networks that no jail bans: 192.0.2.7,2001:db8::/32',
          })
          .option('trust-image-labels', {
            type: 'boolean',
            default: false,
            describe: "Let an image's own labels decide as its containers' do",
          })
          .option('log-roots', {
            type: 'string',
            default: defaultLogRoots,
            describe: 'Folders below which labels may name log files: /var/log,/srv/logs',
          })
          .option('firewall', {
            choices: firewallChoices,
            default: 'auto' as const,
            describe: 'How bans are enforced; none: only report',
          })
          .option('log-level', {
            choices: logLevels,
            default: 'info' as const,
            describe: 'Minimum log level',
          })
          .option('log-format', {
            choices: logFormats,
            default: 'text' as const,
            describe: 'Form of the log on stdout: lines for people, JSON for programs, or as fail2ban.log',
          })
          .option('on-stop', {
            choices: onStopChoices,
            default: 'keep' as const,
            describe: 'On exit: keep bans or remove all rules',
          }),
      ({
        dockerHost,
        configDir,
        watchConfig,
        stateDir,
        socket,
        syslogFile,
        firewall,
        logLevel,
        logFormat,
        onStop,
        ...argv
      }) => {
        const receiver = {
          listen: argv.syslogListen,
          allow: argv.syslogAllow,
          tlsCert: argv.syslogTlsCert,
          tlsKey: argv.syslogTlsKey,
          tlsClientCa: argv.syslogTlsClientCa,
        };
        const labels = labelPolicy(argv);
        launch(
          {
            dockerHost,
            configDir,
            watchConfig,
            stateDir,
            socket,
            syslogFile,
            receiver,
            ignoreip: argv.ignoreip,
            labels,
            firewall,
            logLevel,
            logFormat,
            onStop,
          },
          version,
        );
      },
    )
    .command(
      'status [jail]',
      "All jails, or one: fail2ban-client's tree",
      (builder) => withJson(builder).positional('jail', { type: 'string', describe: 'Jail' }),
      ({ socket, jail, json }) => answer(() => status(new ControlClient(socket), jail, json, output.print)),
    )
    .command(
      'ban <jail> <ips..>',
      'Ban addresses and prefixes by hand',
      (builder) =>
        withJson(builder)
          .positional('jail', { type: 'string', demandOption: true, describe: 'Jail' })
          .positional('ips', { ...ips, demandOption: true }),
      (argv) => answer(() => ban(new ControlClient(argv.socket), argv.jail, argv.ips, argv.json, output)),
    )
    .command(
      'unban [words..]',
      'End bans: [JAIL] IP… or [JAIL] --all',
      (builder) =>
        withJson(builder)
          .positional('words', {
            ...ips,
            default: [] as string[],
            describe: 'Jail (default: every jail) and addresses',
          })
          .option('all', { type: 'boolean', default: false, describe: 'Every ban' }),
      (argv) => answer(() => unban(new ControlClient(argv.socket), argv.words, argv.all, argv.json, output)),
    )
    .command(
      'banned [ips..]',
      'Every ban by jail, or the jails that ban these addresses',
      (builder) => withJson(builder).positional('ips', { ...ips, default: [] as string[] }),
      (argv) => answer(() => banned(new ControlClient(argv.socket), argv.ips, argv.json, output)),
    )
    .command(
      'reload [jail]',
      'Read the configuration again; bans, counts and positions in logs stay. A faulty one is not taken',
      (builder) =>
        withJson(builder)
          .positional('jail', { type: 'string', describe: 'Take the changes of this jail alone' })
          .example('docker exec dock2ban $0 reload', 'after an edit of jail.local or a filter'),
      ({ socket, jail, json }) => answer(() => reload(new ControlClient(socket), jail, json, output)),
    )
    .command(
      'check',
      'Validate the configuration and the labels of all running containers; changes nothing',
      (builder) =>
        withConfiguration(builder).option('json', {
          type: 'boolean',
          default: false,
          describe: 'Print JSON',
        }),
      (argv) => answer(() => checkTool(argv, { version, output })),
    )
    .command(
      'doctor',
      'What stands in the way of bans on this host, each with its remedy; proves that packets cross the rules',
      (builder) =>
        withConfiguration(withJson(builder))
          .options(doctorOptions)
          .example('docker exec dock2ban $0 doctor', 'look at everything, 3 seconds of traffic included')
          .example('$0 doctor --wait 30', 'meanwhile open a published port from another machine')
          .example('$0 doctor --json', 'for programs: { ok, findings }'),
      (argv) => answer(() => doctorTool(argv, output)),
    )
    .command(
      'uninstall-rules',
      "Remove every rule, set and table of dock2ban's from the kernel",
      (builder) =>
        withJson(builder)
          .option('force', {
            type: 'boolean',
            default: false,
            describe: 'Also while a controller runs, which puts them back',
          })
          .example(
            'docker compose run --rm --no-deps dock2ban uninstall-rules',
            'after docker compose stop dock2ban',
          ),
      (argv) => answer(() => uninstallTool(argv, output)),
    )
    .command(
      'socket-proxy',
      "Pass on to the Docker engine only what dock2ban asks of it, read-only: for a container of its own with Docker's socket",
      (builder) =>
        builder
          .option('docker-host', {
            type: 'string',
            default: here.dockerHost,
            defaultDescription: '$DOCKER_HOST, else unix:///var/run/docker.sock',
            describe: "The engine's unix socket",
          })
          .option('listen', {
            type: 'string',
            default: '/run/dock2ban-docker/docker.sock',
            describe: 'The socket to serve; its folder on a volume that dock2ban has, too',
          }),
      ({ dockerHost, listen }) =>
        answer(async () => {
          const { socketProxyTool } = await import('./cli/commands/socket-proxy.ts');
          socketProxyTool(dockerHost, listen);
          return 0;
        }),
    )
    .command('regex', 'Test expressions, a filter or a jail on a log, as fail2ban-regex does')
    .example('$0 status nginx-proxy', 'who is banned, and how many failed')
    .example('$0 unban 203.0.113.7', 'let an address in again, in every jail')
    .fail((message, error, parser) => {
      if (error) throw error;
      parser.showHelp('error');
      process.exitCode = reportError(new Dock2banError('usage', `\n${message}`), output.warn);
      process.exit(exitCode.wrongUsage);
    });
  addViewCommands(commands, { socket: here.socket, output, answer });
  if (words[0] === completionRequest) await completeTool(commands, { socket: here.socket, words }, output);
  else await commands.parseAsync();
}
