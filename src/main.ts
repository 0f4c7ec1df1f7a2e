#!/usr/bin/env node
import { basename } from 'node:path';
import type { Answer, Command } from './cli/command.ts';
import { exitCode, reportError } from './cli/exit-code.ts';
import { output } from './cli/output.ts';
import { unknownCommand, wrongUsage } from './cli/wrong-usage.ts';

/** Each is loaded where it is called, and all of them for help. In the order of the help. */
const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  run: () => import('./cli/commands/run.ts'),
  status: () => import('./cli/commands/status.ts'),
  health: () => import('./cli/commands/health.ts'),
  ban: () => import('./cli/commands/ban.ts'),
  unban: () => import('./cli/commands/unban.ts'),
  banned: () => import('./cli/commands/banned.ts'),
  why: () => import('./cli/commands/why.ts'),
  logs: () => import('./cli/commands/logs.ts'),
  top: () => import('./cli/commands/top.ts'),
  stats: () => import('./cli/commands/stats.ts'),
  reload: () => import('./cli/commands/reload.ts'),
  check: () => import('./cli/commands/check.ts'),
  regex: () => import('./cli/commands/regex.ts'),
  doctor: () => import('./cli/commands/doctor.ts'),
  export: () => import('./cli/commands/export.ts'),
  import: () => import('./cli/commands/import.ts'),
  completion: () => import('./cli/commands/completion.ts'),
  'socket-proxy': () => import('./cli/commands/socket-proxy.ts'),
  'uninstall-rules': () => import('./cli/commands/uninstall-rules.ts'),
};

const answer: Answer = async (act) => {
  try {
    process.exitCode = await act();
  } catch (error) {
    process.exitCode = reportError(error, output.warn);
  }
};

const words = process.argv.slice(2);
const called = basename(process.argv[1] ?? '');
// The tools of fail2ban's that dock2ban answers as, by a symbolic link, have words of their own.
if (called === 'fail2ban-client') {
  await answer(async () => (await import('./cli/commands/fail2ban-client.ts')).client(words));
} else if (called === 'fail2ban-regex') {
  await answer(async () => (await import('./cli/commands/regex.ts')).regex(called, words));
} else if (words[0] === 'regex') {
  await answer(async () => (await import('./cli/commands/regex.ts')).regex('dock2ban regex', words.slice(1)));
} else {
  await dock2ban();
}

async function dock2ban(): Promise<void> {
  const [name = ''] = words;
  const isKnown = Object.hasOwn(commands, name);
  if (!isKnown && /^[^-]/.test(name)) unknownCommand(name, Object.keys(commands));
  const [{ default: yargs }, { version }, ...loaded] = await Promise.all([
    import('yargs'),
    import('./cli/version.ts'),
    ...(isKnown ? [commands[name]!] : Object.values(commands)).map((load) => load()),
  ]);
  const parser = yargs(words)
    .scriptName('dock2ban')
    .usage(
      '$0 <command>\n\nBans intruders from Docker hosts. Every option of run is also an environment variable: DOCK2BAN_LOG_LEVEL=debug',
    )
    .version(version)
    .strict()
    .demandCommand(1, 'Name a command.')
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .example('$0 status nginx-proxy', 'who is banned, and how many failed')
    .example('$0 unban 203.0.113.7', 'let an address in again, in every jail')
    .fail((message, error) => {
      if (error) throw error;
      const missing = message.startsWith('Not enough') ? loaded[0]?.command.usage : undefined;
      wrongUsage(missing ? `arguments missing: dock2ban ${missing}` : message, isKnown ? name : undefined);
    });
  for (const { command } of loaded) command.addTo(parser, answer);
  if (words.length === 0) {
    parser.showHelp('error');
    process.exit(exitCode.wrongUsage);
  }
  if (name === '--get-yargs-completions')
    await (await import('./cli/commands/completion.ts')).complete(parser, words);
  else await parser.parseAsync();
}
