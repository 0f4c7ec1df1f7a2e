import type { Argv } from 'yargs';
import { ControlClient } from '../../control/client.ts';
import { defineCommand } from '../command.ts';
import { exitCode } from '../exit-code.ts';
import { output } from '../output.ts';
import { socket } from './options.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/**
 * Each asks dock2ban itself, by `--get-yargs-completions` and the words so far. yargs answers in the form of the shell that SHELL
 * names: `word`, for zsh `word:description`, for fish `word<tab>description`. An answer may hold anything that somebody named a jail: no shell
 * may expand it (as bash's `compgen -W` would), and what is put onto the command line is quoted. Where nothing fits, files do.
 */
const scripts: Readonly<Record<Shell, string>> = {
  bash: `# dock2ban's completion for bash: source <(dock2ban completion bash)
_dock2ban() {
  local word quoted current=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  while IFS= read -r word; do
    printf -v quoted %q "$word"
    if [[ $quoted == "$current"* ]]; then COMPREPLY+=("$quoted"); fi
  done < <(SHELL=bash dock2ban --get-yargs-completions "\${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
}
complete -o bashdefault -o default -F _dock2ban dock2ban
`,
  zsh: `#compdef dock2ban
# dock2ban's completion for zsh: source <(dock2ban completion zsh), after compinit
_dock2ban() {
  local -a found
  found=("\${(@f)$(SHELL=zsh dock2ban --get-yargs-completions "\${(@)words[1,CURRENT]}" 2>/dev/null)}")
  [[ -n $found ]] && _describe dock2ban found || _default
}
compdef _dock2ban dock2ban
`,
  fish: `# dock2ban's completion for fish: dock2ban completion fish | source
function __dock2ban_complete
    set -l current (commandline -ct)
    set -l found (SHELL=fish dock2ban --get-yargs-completions (commandline -opc) "$current" 2>/dev/null)
    if string match -qr -- '^'(string escape --style=regex -- "$current") $found
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c dock2ban -f -a '(__dock2ban_complete)'
`,
};

/** Commands whose first word is a jail. */
const ofJail: ReadonlySet<string> = new Set(['status', 'ban', 'unban', 'reload']);
/** Milliseconds: who presses tab doesn't wait for a controller that is busy. */
const jailsWithin = 500;

/**
 * The jails that may stand where the word is that is being written; none if no controller answers.
 * @param words all of the line; the first is `dock2ban`, the last the one being written
 * @param shell whose form the answer has, as SHELL names it
 */
export async function completedJails(
  client: Pick<ControlClient, 'status'>,
  words: readonly string[],
  shell: string,
): Promise<string[]> {
  const [, command = '', ...rest] = words;
  const isArgument = ofJail.has(command) && rest.length === 1;
  const isOption = command === 'logs' && (rest.at(-2) === '--jail' || rest.at(-2) === '-j');
  const current = rest.at(-1);
  if ((!isArgument && !isOption) || current === undefined || current.startsWith('-')) return [];
  const late = AbortSignal.timeout(jailsWithin);
  const none = new Promise<[]>((resolve) => late.addEventListener('abort', () => resolve([])));
  const jails = client.status().then(
    (status) => status.jails.filter((jail) => isLine(jail) && jail.startsWith(current)).map(escaped(shell)),
    () => [],
  );
  return Promise.race([jails, none]);
}

/** Whether it can be told in a line: a tab begins the description for fish. */
function isLine(text: string): boolean {
  return !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u.test(text);
}

/** zsh's `_describe` reads a description after a colon. */
function escaped(shell: string): (word: string) => string {
  return (word) => (shell.endsWith('zsh') ? word.replaceAll(/[\\:]/g, String.raw`\$&`) : word);
}

/** Prints what may come where the last word is: commands and options, which yargs knows, and jails, which the controller knows. */
export async function complete(parser: Argv, words: readonly string[]): Promise<never> {
  const line = words.slice(1);
  const jails = await completedJails(new ControlClient(socket.default), line, process.env['SHELL'] ?? '');
  // First: for what belongs to a command, yargs prints by itself, and ends the process.
  output.print(jails.map((word) => `${word}\n`).join(''));
  const known = await parser.getCompletion(line);
  output.print(known.map((word) => `${word}\n`).join(''));
  // A controller that does not answer is not waited for.
  process.exit(0);
}

export const command = defineCommand(
  'completion <shell>',
  'Print a script that makes a shell complete commands, options and jails',
  (parser) =>
    parser
      .positional('shell', { choices: shells, demandOption: true, describe: 'Shell' })
      .example('source <($0 completion bash)', 'in ~/.bashrc')
      .example('$0 completion fish | source', 'in ~/.config/fish/config.fish'),
  (argv) => {
    output.print(scripts[argv.shell]);
    return exitCode.done;
  },
);
