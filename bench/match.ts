// Matching beside fail2ban-regex, on the same generated files in one run: `npm run bench:match`. Medians of several rounds, of a process
// that goes on running, as the controller does, and of new ones, which first have to translate and compile what they run.
// Exits 1 if a count differs, or the running one's ratio is under what is wanted.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { fail2banTree } from '../test/conformance/fail2ban-tree.ts';
import { generate, mixedLine, nginxProxyLine, sshdLine } from './match/logs.ts';

const lineCount = 200_000;
const rounds = 5;
/** Of a process of ours over the same log. */
const passes = 4;
const seed = String.raw`^.*nginx-proxy.*\.example\.com\s<HOST>\s-\s-\s.*HTTP/.*" 404`;

/** A filter as fail2ban-regex and `match/ours.ts` take it; an expression begins with `/`. */
interface Case {
  readonly name: string;
  readonly line: typeof sshdLine;
  readonly filters: readonly string[];
  readonly wanted: number;
}

const cases: readonly Case[] = [
  {
    name: "200k nginx-proxy lines, the seed's failregex",
    line: nginxProxyLine,
    filters: [`/${seed}`],
    wanted: 50,
  },
  { name: '200k sshd lines, the stock sshd filter', line: sshdLine, filters: ['sshd'], wanted: 25 },
  {
    name: '200k mixed lines, ten stock filters at once',
    line: mixedLine,
    filters: [
      'sshd',
      'postfix[mode=auth]',
      'dovecot',
      'named-refused',
      'nginx-http-auth',
      'apache-auth',
      'vsftpd',
      'proftpd',
      'recidive',
      'exim',
    ],
    wanted: 25,
  },
];

interface Run {
  readonly seconds: number;
  readonly matched: readonly number[];
}

interface Ours {
  /** Of one pass after the other. */
  readonly seconds: readonly number[];
  readonly matched: readonly number[];
}

const tree = await fail2banTree();
const folder = await mkdtemp(join(tmpdir(), 'dock2ban-bench-match-'));
let missed = 0;
try {
  for (const one of cases) {
    const log = join(folder, 'log');
    await writeFile(log, generate(lineCount, one.line));
    const theirs = await fail2ban(one, log);
    const runs: Ours[] = [];
    for (let round = 0; round < rounds; round++) runs.push(await ours(one, log));
    const fresh = median(runs.map((run) => run.seconds[0]!));
    const running = median(runs.flatMap((run) => run.seconds.slice(1)));
    const same = runs.every((run) => JSON.stringify(theirs.matched) === JSON.stringify(run.matched));
    if (!same || theirs.seconds / running < one.wanted) missed += 1;
    const compared = (seconds: number): string =>
      `${perSecond(seconds)} lines/s: ${(theirs.seconds / seconds).toFixed(1)} times`;
    console.log(
      `${one.name}\n` +
        `  fail2ban ${perSecond(theirs.seconds)} lines/s\n` +
        `  dock2ban, running, ${compared(running)} (wanted: ${one.wanted}); just started, ${compared(fresh)}\n` +
        `  matched: fail2ban ${theirs.matched.join(' ')}, dock2ban ${runs[0]!.matched.join(' ')}${same ? '' : '  DIFFERENT'}`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = missed === 0 ? 0 : 1;

/** fail2ban-regex does one filter at a time: the times add up, as they do in its server. */
async function fail2ban({ filters }: Case, log: string): Promise<Run> {
  const results: { seconds: number; matched: number }[] = [];
  for (const filter of filters) {
    const script = 'from fail2ban.client.fail2banregex import exec_command_line; exec_command_line()';
    const what = filter.startsWith('/') ? filter.slice(1) : filter;
    const { stdout } = await execa(
      '/usr/bin/python3',
      [
        '-c',
        script,
        '--config',
        tree.config,
        '--usedns',
        'no',
        '--print-no-missed',
        '--print-no-ignored',
        log,
        what,
      ],
      { env: { PYTHONPATH: tree.pythonPath }, reject: false },
    );
    const matched = /, (\d+) matched,/.exec(stdout);
    const seconds = /\[processed in ([\d.]+) sec\]/.exec(stdout);
    if (!matched || !seconds)
      throw new Error(`fail2ban-regex said nothing of use about ${filter}:\n${stdout}`);
    results.push({ seconds: Number(seconds[1]), matched: Number(matched[1]) });
  }
  return {
    seconds: results.reduce((sum, one) => sum + one.seconds, 0),
    matched: results.map(({ matched }) => matched),
  };
}

async function ours({ filters }: Case, log: string): Promise<Ours> {
  const program = fileURLToPath(new URL('match/ours.ts', import.meta.url));
  const { stdout } = await execa(process.execPath, [program, tree.config, log, String(passes), ...filters]);
  return JSON.parse(stdout);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function perSecond(seconds: number): string {
  return Math.round(lineCount / seconds).toLocaleString('en');
}
