import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { FakeEngine } from '../docker/fake-engine.ts';

/**
 * `dock2ban run` as a process, its events as JSON on standard output unless another format, or the default, is asked for.
 * @param folder with `fail2ban` (configuration) and `syslog`; it keeps its state and its socket there
 */
export function spawnRun(
  folder: string,
  engine: FakeEngine,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
  {
    stdout = 'pipe',
    stderr = 'inherit',
    logFormat = 'json',
  }: {
    readonly stdout?: 'pipe' | number;
    readonly stderr?: 'inherit' | 'pipe';
    readonly logFormat?: 'json' | 'fail2ban' | 'default';
  } = {},
): ChildProcess {
  const options = {
    'docker-host': `unix://${engine.socketPath}`,
    'config-dir': join(folder, 'fail2ban'),
    'state-dir': join(folder, 'state'),
    socket: join(folder, 'socket'),
    'syslog-file': join(folder, 'syslog'),
    firewall: 'none',
    ...(logFormat !== 'default' && { 'log-format': logFormat }),
  };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  return spawn(process.execPath, ['src/main.ts', 'run', ...words, ...flags], {
    stdio: ['ignore', stdout, stderr],
    env: { ...process.env, ...env },
  });
}
