// The generated completions, in the shells themselves: typed into a terminal, with the key Tab.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shells } from '../../src/cli/commands/completion.ts';
import { serveControl, type ControlServer } from '../../src/control/server.ts';
import { fakeController } from '../control/fake-controller.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const typist = fileURLToPath(new URL('type-and-tab.zsh', import.meta.url));

type Shell = (typeof shells)[number];

let dir: string;
let server: ControlServer;
/** What hostile names would run. */
let trap: string;
let hostile: readonly string[];
let commands: Readonly<Record<Shell, readonly string[]>>;

/** Each prints READY when it waits for the first line, and on ^X^L what stands in its line. */
const settings = {
  bash: `PS1='> '
bind 'set enable-bracketed-paste off'
source <(dock2ban completion bash)
bind -x '"\\C-x\\C-l": printf "LINE<%s>\\n" "$READLINE_LINE"'
echo READY
`,
  zsh: `PS1='> '
autoload -U compinit
compinit -u -D
source <(dock2ban completion zsh)
show-line() { print -r -- "LINE<$BUFFER>" }
zle -N show-line
bindkey '^X^L' show-line
print READY
`,
  fish: `dock2ban completion fish | source
function show_line
    echo "LINE<"(commandline)">"
end
bind \\cx\\cl show_line
echo READY
`,
} as const satisfies Record<Shell, string>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-completion-'));
  trap = join(dir, 'sprung');
  hostile = [
    `cmd$(touch ${trap})`,
    `tick\`touch ${trap}\``,
    `semi; touch ${trap} #`,
    `quote' "double`,
    'colon:with:colons',
    'two words',
    'star*',
    '${HOME}',
    'back\\slash',
    'tab\tand description',
    'esc\u001b[31m',
  ];
  const controller = fakeController();
  const jails = ['nginx-proxy', 'sshd', ...hostile];
  server = await serveControl(join(dir, 'socket'), {
    ...controller,
    status: () => ({ ...controller.status(), jails }),
  });
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(dir, 'bin/dock2ban'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  chmodSync(join(dir, 'bin/dock2ban'), 0o755);
  writeFileSync(join(dir, '.zshrc'), settings.zsh);
  for (const shell of ['bash', 'fish'] as const) writeFileSync(join(dir, `rc.${shell}`), settings[shell]);
  commands = {
    bash: ['bash', '--noprofile', '--rcfile', join(dir, 'rc.bash'), '-i'],
    zsh: ['zsh', '-d', '-i'],
    fish: ['fish', '--private', '--no-config', '-i', '-C', `source ${join(dir, 'rc.fish')}`],
  };
  writeFileSync(join(dir, 'access.log'), '');
});

afterAll(async () => {
  await server?.close();
  rmSync(dir, { recursive: true, force: true });
});

const environment = () => ({
  PATH: `${join(dir, 'bin')}:${process.env['PATH']}`,
  HOME: dir,
  ZDOTDIR: dir,
  TERM: 'xterm',
  LC_ALL: 'C.UTF-8',
  DOCK2BAN_SOCKET: join(dir, 'socket'),
});

/** What stands in the line after this was typed, and Tab. */
async function lineAfter(shell: Shell, typed: string): Promise<string> {
  const { stdout, stderr } = await execa('zsh', ['-f', typist, typed, ...commands[shell]], {
    cwd: dir,
    env: environment(),
    reject: false,
    timeout: 60_000,
  });
  const [, line] = /LINE<(.*?)>\r?\n/s.exec(`${stdout}\n`) ?? [];
  if (line === undefined) throw new Error(`${shell} shows:\n${stdout}\n${stderr}`);
  return line;
}

/** What a shell takes a word of a line for. */
async function meant(shell: Shell, word: string): Promise<string> {
  const script = shell === 'fish' ? `string join0 -- ${word} | string split0` : `printf '%s\\n' ${word}`;
  const { stdout } = await execa(shell, [shell === 'zsh' ? '-fc' : '-c', script], { env: environment() });
  return stdout;
}

describe.each(shells)('in %s', (shell) => {
  it.each([
    ['dock2ban statu', 'dock2ban status '],
    ['dock2ban unban sshd --al', 'dock2ban unban sshd --all '],
    ['dock2ban completion z', 'dock2ban completion zsh '],
    ['dock2ban run --firewall nft', 'dock2ban run --firewall nftables '],
    ['dock2ban ban ngi', 'dock2ban ban nginx-proxy '],
    ['dock2ban logs --jail ss', 'dock2ban logs --jail sshd '],
    ['dock2ban regex acc', 'dock2ban regex access.log '],
  ])('Tab after %j makes %j', async (typed, line) => {
    expect(await lineAfter(shell, typed)).toBe(line);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 8])('a hostile jail name is quoted, and never run (%i)', async (index) => {
    const name = hostile[index]!;
    const start = /^\w+/.exec(name)![0];
    const typed = 'dock2ban status ';
    const line = await lineAfter(shell, `${typed}${start}`);
    expect(line.startsWith(typed)).toBe(true);
    expect(await meant(shell, line.slice(typed.length).replace(/ $/, ''))).toBe(name);
    expect(existsSync(trap)).toBe(false);
  });

  it('a jail whose name no line can tell is not offered', async () => {
    for (const start of ['tab', 'esc']) {
      expect((await lineAfter(shell, `dock2ban status ${start}`)).trimEnd()).toBe(`dock2ban status ${start}`);
    }
  });

  it('nothing runs and nothing is in the way when all jails are offered', async () => {
    expect((await lineAfter(shell, 'dock2ban status ')).trimEnd()).toBe('dock2ban status');
    expect(existsSync(trap)).toBe(false);
  });
});
