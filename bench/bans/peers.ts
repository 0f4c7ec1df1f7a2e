import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { Netns } from '../../test/kernel/netns.ts';

const count = 300;
const startTimeout = 20_000;

function addresses(): string[] {
  return Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
}

/** Bans a second with an `ipset` process for each: what the simplest of tools do. */
export async function ipsetProcesses(): Promise<number> {
  const netns = await Netns.open();
  try {
    await netns.sh('ipset', 'create', 'peers', 'hash:net', 'timeout', '0');
    const enter = [`--net=${netns.path}`, 'ipset', 'add', 'peers'];
    const start = performance.now();
    for (const address of addresses()) await execa('nsenter', [...enter, address, 'timeout', '600']);
    return (count / (performance.now() - start)) * 1000;
  } finally {
    netns.close();
  }
}

/**
 * Bans a second by hand with the installed fail2ban and an action of its own, all addresses in one command, until the last of them
 * is in the kernel.
 * @param listing the command whose output tells what is banned
 */
export async function fail2ban(action: string, listing: readonly [string, ...string[]]): Promise<number> {
  const netns = await Netns.open();
  const folder = await mkdtemp(join(tmpdir(), 'dock2ban-bench-bans-'));
  const config = join(folder, 'config');
  const enter = [`--net=${netns.path}`];
  const ask = (...words: string[]) =>
    execa('nsenter', [...enter, 'fail2ban-client', '-c', config, ...words], { reject: false });
  const server = new AbortController();
  try {
    await cp('/etc/fail2ban', config, { recursive: true });
    // Debian's own change turns sshd on.
    await rm(join(config, 'jail.d'), { recursive: true, force: true });
    await mkdir(join(config, 'jail.d'));
    const file = (name: string): string => `${name} = ${join(folder, name.replace('target', ''))}\n`;
    await writeFile(
      join(config, 'fail2ban.local'),
      `[DEFAULT]\n${file('socket')}${file('pidfile')}${file('logtarget')}dbfile = None\n`,
    );
    await writeFile(join(folder, 'empty'), '');
    await writeFile(
      join(config, 'jail.local'),
      `[bench]\nenabled = true\nbackend = polling\nfilter = sshd\nlogpath = ${folder}/empty\nbantime = 600\naction = ${action}[name=bench, port="80,443", protocol=tcp]\n`,
    );
    const running = execa('nsenter', [...enter, 'fail2ban-server', '-c', config, '-f', 'start'], {
      cancelSignal: server.signal,
      reject: false,
    });
    const until = async (isSo: () => Promise<boolean>): Promise<void> => {
      const end = performance.now() + startTimeout;
      while (!(await isSo())) {
        if (performance.now() > end) throw new Error(`fail2ban with ${action} did not get there in time`);
        await delay(20);
      }
    };
    await until(async () => (await ask('status', 'bench')).exitCode === 0);
    const all = addresses();
    const last = all.at(-1)!;
    const start = performance.now();
    await ask('set', 'bench', 'banip', ...all);
    await until(async () => (await netns.sh(...listing)).includes(last));
    const rate = (count / (performance.now() - start)) * 1000;
    await ask('stop');
    server.abort();
    await running;
    return rate;
  } finally {
    server.abort();
    netns.close();
    await rm(folder, { recursive: true, force: true });
  }
}
