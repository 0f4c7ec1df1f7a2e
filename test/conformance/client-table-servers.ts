import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fail2banClient } from '../../src/cli/fail2ban-client/client.ts';
import { localTime } from '../../src/text/local-time.ts';
import { FakeEngine } from '../docker/fake-engine.ts';
import { fail2banTree } from './fail2ban-tree.ts';

/** What a call of fail2ban-client came to. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server, and its own fail2ban-client. */
export interface Server {
  readonly client: (...words: string[]) => Promise<Outcome>;
  /** A call with something on stdin. */
  readonly typing: (typed: string, words: readonly string[]) => Promise<Outcome>;
  readonly stop: () => Promise<void>;
}

/**
 * A configuration directory for both: fail2ban's stock one, with three jails of our own that ban nobody outside of the
 * two servers' books.
 */
export async function configure(dir: string): Promise<void> {
  const { config } = await fail2banTree();
  cpSync(config, dir, { recursive: true });
  mkdirSync(join(dir, 'log'));
  const files: Record<string, string> = {
    'fail2ban.local': [
      '[Definition]',
      'loglevel = INFO',
      `logtarget = ${dir}/log/fail2ban`,
      `socket = ${dir}/fail2ban.sock`,
      `pidfile = ${dir}/pid`,
      `dbfile = ${dir}/fail2ban.sqlite3`,
      'allowipv6 = yes',
    ].join('\n'),
    'filter.d/denied.conf': [
      '[Definition]',
      String.raw`failregex = ^ denied (?P<ip4>[\d.]+)\b`,
      String.raw`            ^ refused (?P<ip4>[\d.]+)$`,
      'ignoreregex = ^ denied .* from the office$',
    ].join('\n'),
    'filter.d/plain.conf': '[Definition]\nfailregex = ^ bad <HOST>$',
    // In place of the stock file, for fail2ban: it runs nothing.
    'action.d/iptables-multiport.conf': '[Definition]\nactionban =\nactionunban =',
    'jail.local': [
      '[DEFAULT]',
      'backend = polling',
      'action = iptables-multiport',
      'enabled = false',
      '[sshd]',
      'enabled = false',
      '[app]',
      'enabled = true',
      'filter = denied',
      `logpath = ${dir}/log/app`,
      'ignoreip = 192.0.2.1 198.51.100.0/24',
      '[web]',
      'enabled = true',
      'filter = plain',
      `logpath = ${dir}/log/web`,
      `          ${dir}/log/web-tls`,
      'maxretry = 3',
      'bantime = 1h',
      'bantime.increment = true',
      'bantime.factor = 2',
      'bantime.maxtime = 1w',
      'bantime.multipliers = 1 5 30',
      '[off]',
      'filter = plain',
      `logpath = ${dir}/log/web`,
    ].join('\n'),
    'log/app': '',
    'log/web': '',
    'log/web-tls': '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text && `${text}\n`);
  // fail2ban without dnspython, whether this machine has it or not: it asks nobody who an address belongs to.
  mkdirSync(join(dir, 'python'));
  writeFileSync(join(dir, 'python/dns.py'), 'raise ImportError("not here")\n');
}

/** Appends a line that is logged now. */
export function logLine(dir: string, log: string, text: string): void {
  appendFileSync(join(dir, 'log', log), `${localTime(new Date())} ${text}\n`);
}

/** Replaces a text in jail.local. */
export function editJails(dir: string, from: string, to: string): void {
  const file = join(dir, 'jail.local');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(from, () => to),
  );
}

/** fail2ban's server from Debian's package, in the foreground. */
export async function startFail2ban(dir: string): Promise<Server> {
  const { pythonPath } = await fail2banTree();
  const env = {
    ...process.env,
    PYTHONPATH: `${join(dir, 'python')}:${pythonPath}`,
    PYTHONDONTWRITEBYTECODE: '1',
    LC_ALL: 'C.UTF-8',
  };
  const ours = ['-c', dir, '-s', join(dir, 'fail2ban.sock'), '-p', join(dir, 'pid')];
  const python = (program: string, ...words: string[]): string[] => [
    '-c',
    `import sys; from fail2ban.client.${program} import exec_command_line; exec_command_line(sys.argv)`,
    ...ours,
    ...words,
  ];
  const server = spawn('/usr/bin/python3', python('fail2banserver', '-f', 'start'), { env, stdio: 'ignore' });
  const exited = once(server, 'exit');
  const typing: Server['typing'] = (typed, words) =>
    new Promise((done) => {
      const child = execFile(
        '/usr/bin/python3',
        python('fail2banclient', ...words),
        { env, timeout: 60_000 },
        (error, stdout, stderr) => done({ exitCode: error ? Number(error.code) : 0, stdout, stderr }),
      );
      // It may have ended before it has read everything.
      child.stdin?.on('error', () => undefined).end(typed);
    });
  const client: Server['client'] = (...words) => typing('', words);
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await exited;
  };
  await answering(server, client, stop);
  return { client, typing, stop };
}

/** `dock2ban run` in a process of its own, with a Docker engine that has no containers, and no firewall. */
export async function startDock2ban(dir: string): Promise<Server> {
  const engine = await new FakeEngine().start();
  const dockerHost = `unix://${engine.socketPath}`;
  const socket = join(dir, 'dock2ban.sock');
  const options = {
    'docker-host': dockerHost,
    'config-dir': dir,
    'state-dir': join(dir, 'state'),
    socket,
    'syslog-file': join(dir, 'log/syslog'),
    firewall: 'none',
    'log-format': 'json',
  };
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const server = spawn(process.execPath, [resolve('src/main.ts'), 'run', ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(server, 'exit');
  const typing: Server['typing'] = async (typed, words) => {
    let stdout = '';
    let stderr = '';
    const exitCode = await fail2banClient(words, {
      version: '0.0.0',
      socket,
      configDir: dir,
      builtinDir: resolve('filters'),
      docker: async () => ({ containers: [], networks: [] }),
      output: { print: (text) => void (stdout += text), warn: (text) => void (stderr += text) },
      terminal: {
        input: Readable.from([typed]),
        output: new Writable({
          write: (chunk, _, done) => {
            stdout += String(chunk);
            done();
          },
        }),
      },
    });
    return { exitCode, stdout, stderr };
  };
  const client: Server['client'] = (...words) => typing('', words);
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await exited;
    await engine.stop();
  };
  await answering(server, client, stop);
  return { client, typing, stop };
}

/** Waits until both jails run. */
async function answering(
  process: ChildProcess,
  client: Server['client'],
  stop: Server['stop'],
): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { stdout, stderr } = await client('status');
    if (stdout.includes('app, web')) return;
    if (tries === 300 || process.exitCode !== null) {
      await stop();
      throw new Error(`the server does not answer: ${stderr}`);
    }
    await delay(100);
  }
}
