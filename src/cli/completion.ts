import type { ControlClient } from '../control/client.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;

/**
 * Each asks dock2ban itself, by `--get-yargs-completions` and the words so far. yargs answers in the form of the shell that SHELL
 * names: `word`, for zsh `word:description`, for fish `word<tab>description`.
 */
const scripts: Readonly<Record<(typeof shells)[number], string>> = {
  bash: `# dock2ban's completion for bash: source <(dock2ban completion bash)
_dock2ban() {
  local IFS=$'\\n' words
  words=$(SHELL=bash dock2ban --get-yargs-completions "\${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o bashdefault -o default -F _dock2ban dock2ban
`,
  zsh: `#compdef dock2ban
# dock2ban's completion for zsh: source <(dock2ban completion zsh), after compinit
_dock2ban() {
  local -a found
  found=("\${(@f)$(SHELL=zsh dock2ban --get-yargs-completions "\${(@)words[1,CURRENT]}" 2>/dev/null)}")
  if [[ -n $found ]]; then _describe dock2ban found; else _default; fi
}
compdef _dock2ban dock2ban
`,
  fish: `# dock2ban's completion for fish: dock2ban completion fish | source
function __dock2ban_complete
    SHELL=fish dock2ban --get-yargs-completions (commandline -opc) (commandline -ct) 2>/dev/null
end
complete -c dock2ban -f -a '(__dock2ban_complete)'
`,
};

/** `dock2ban completion SHELL`: what makes a shell complete dock2ban's commands, options and jails. */
export function completionScript(shell: (typeof shells)[number]): string {
  return scripts[shell];
}

/** Commands whose first word is a jail. */
const ofJail: ReadonlySet<string> = new Set(['status', 'ban', 'unban', 'reload']);
/** Milliseconds: who presses tab doesn't wait for a controller that is busy. */
const jailsWithin = 500;

/**
 * The jails that may stand where the word is that is being written; none if no controller answers.
 * @param words all of the line; the first is `dock2ban`, the last the one being written
 */
export async function completedJails(
  client: Pick<ControlClient, 'status'>,
  words: readonly string[],
): Promise<string[]> {
  const [, command = '', ...rest] = words;
  const isArgument = ofJail.has(command) && rest.length === 1;
  const isOption = command === 'logs' && (rest.at(-2) === '--jail' || rest.at(-2) === '-j');
  const current = rest.at(-1);
  if ((!isArgument && !isOption) || current === undefined || current.startsWith('-')) return [];
  const late = AbortSignal.timeout(jailsWithin);
  const none = new Promise<[]>((resolve) => late.addEventListener('abort', () => resolve([])));
  const jails = client.status().then(
    (status) => status.jails.filter((jail) => jail.startsWith(current)),
    () => [],
  );
  return Promise.race([jails, none]);
}
