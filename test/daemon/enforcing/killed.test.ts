import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { FakeEngine } from '../../docker/fake-engine.ts';

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

interface Event {
  readonly event: string;
  readonly ip?: string;
  readonly failures?: number;
}

/** A host with one log file, whose controller can be killed and started again. */
class Host {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dock2ban-killed-'));
  readonly #engine = new FakeEngine();

  async begin(maxretry: number): Promise<this> {
    await this.#engine.start();
    onTestFinished(async () => {
      await this.#engine.stop();
      rmSync(this.#folder, { recursive: true });
    });
    mkdirSync(join(this.#folder, 'fail2ban'));
    writeFileSync(this.#log, '');
    writeFileSync(join(this.#folder, 'syslog'), '');
    writeFileSync(
      join(this.#folder, 'fail2ban/jail.local'),
      `[app]\nenabled = true\nfilter =\nfailregex = ^\\s*bad <HOST>$\nlogpath = ${this.#log}\nmaxretry = ${maxretry}\nfindtime = 1h\n`,
    );
    return this;
  }

  get #log(): string {
    return join(this.#folder, 'app.log');
  }

  write(...ips: readonly string[]): void {
    const now = new Date().toISOString();
    appendFileSync(this.#log, ips.map((ip) => `${now} bad ${ip}\n`).join(''));
  }

  /** One run of the controller; killed when `act` is done. */
  async run(
    act: (sees: (wanted: (event: Event) => boolean) => Promise<Event>) => Promise<void>,
  ): Promise<void> {
    const options = [
      ['--docker-host', `unix://${this.#engine.socketPath}`],
      ['--firewall', 'none'],
      ['--config-dir', join(this.#folder, 'fail2ban')],
      ['--state-dir', join(this.#folder, 'state')],
      ['--socket', join(this.#folder, 'socket')],
      ['--syslog-file', join(this.#folder, 'syslog')],
      ['--log-format', 'json'],
    ];
    const child = spawn(process.execPath, [main, 'run', ...options.flat()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    onTestFinished(() => void child.kill('SIGKILL'));
    const events: Event[] = [];
    createInterface(child.stdout).on('line', (line) => void events.push(JSON.parse(line)));
    await act(async (wanted) =>
      vi.waitUntil(() => events.findLast(wanted), { timeout: 30_000, interval: 5 }),
    );
    child.kill('SIGKILL');
    await exit;
  }
}

it('four of five failures count after a SIGKILL, and one more bans', async () => {
  const host = await new Host().begin(5);
  const ip = '198.51.100.66';
  await host.run(async (sees) => {
    await sees(({ event }) => event === 'ready');
    host.write(ip, ip, ip, ip);
    await sees(({ failures }) => failures === 4);
    // A tenth of a second, and some more on a busy machine, until it is stored.
    await sleep(1000);
  });
  await host.run(async (sees) => {
    await sees(({ event }) => event === 'ready');
    host.write(ip);
    expect(await sees(({ event }) => event === 'ban')).toMatchObject({ ip, failures: 5 });
  });
}, 60_000);

it('every line counts once, however often the controller is killed while it reads', async () => {
  const host = await new Host().begin(100_000);
  const ips = Array.from({ length: 30 }, (_, i) => `203.0.113.${i + 1}`);
  const last = '192.0.2.1';
  let written = 0;
  for (let round = 0; round < 4; round++) {
    await host.run(async (sees) => {
      await sees(({ event }) => event === 'ready');
      const before = written;
      const reading = sees(({ failures = 0 }) => failures > before);
      for (let burst = 0; burst < 10 + round * 7; burst++) {
        host.write(...ips);
        written += 1;
        await sleep(7);
      }
      await reading;
    });
  }
  await host.run(async (sees) => {
    await sees(({ event }) => event === 'ready');
    host.write(...ips, last);
    await sees(({ ip }) => ip === last);
    for (const ip of ips) {
      expect((await sees((event) => event.ip === ip)).failures).toBe(written + 1);
    }
  });
}, 120_000);
