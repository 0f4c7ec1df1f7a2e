import { truncate } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineConnector } from '../../src/docker/engine/engine-connector.ts';
import { EngineLogs } from '../../src/docker/engine/engine-logs.ts';
import { type DockerLogUpdate, followContainerLog } from '../../src/sources/docker/follow-container.ts';
import type { Container } from './container.ts';
import { type Lab, startLab } from './lab.ts';
import { type Product, startProduct } from './product.ts';

let lab: Lab;
let product: Product;

beforeAll(async () => {
  lab = await startLab();
  product = await startProduct(lab);
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

describe("an attack on a container that is read from Docker's log API", () => {
  it.each([
    ['json-file', 8101, []],
    ['local', 8102, []],
    ['json-file', 8103, ['--tty']],
  ])('ends in a ban: log driver %s, port %i, %j', async (driver, port, args) => {
    await using _app = await lab.host.run({
      name: `web-${port}`,
      publish: [`${port}:80`],
      labels: { 'fail2ban.jail': 'nginx-proxy', 'fail2ban.maxretry': '3' },
      log: { driver },
      arguments: args,
    });
    await product.sees('jail-changed', { jail: 'nginx-proxy' });
    await using attacker = await lab.client(`198.51.100.${port - 8000}`);
    await using honest = await lab.client(`203.0.113.${port - 8000}`);
    const url = `http://${lab.host.ip4}:${port}/missing`;
    await lab.host.until('the ban', async () => (await attacker.get(url)) === 'timeout');
    await product.sees('ban', { ip: attacker.ip4 });
    expect(await honest.get(`http://${lab.host.ip4}:${port}/`)).toBe(200);
  });
});

/** Numbers its lines, on both streams, some longer than Docker's 16 KiB pieces. */
const writer = `r=$(date +%s%N); i=0; big=$(head -c 40000 /dev/zero | tr '\\0' x)
while :; do i=$((i+1)); case $((i % 500)) in 0) echo "R $r $i $big";; *0) echo "R $r $i" >&2;; *) echo "R $r $i";; esac
[ $((i % 50)) = 0 ] && sleep 0.02; done`;

class Reading {
  readonly numbers = new Map<string, number[]>();
  readonly others: DockerLogUpdate[] = [];
  position: string | undefined;
  #end = new AbortController();
  #done: Promise<void> = Promise.resolve();
  readonly #id: string;

  constructor(id: string) {
    this.#id = id;
    this.start();
  }

  start(): void {
    this.#end = new AbortController();
    this.#done = this.#read(this.#end.signal);
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#done;
  }

  get last(): number {
    return [...this.numbers.values()].at(-1)?.at(-1) ?? 0;
  }

  async #read(signal: AbortSignal): Promise<void> {
    const logs = new EngineLogs(engineConnector(`unix://${lab.host.dockerSocket}`));
    const after = this.position === undefined ? {} : { after: this.position };
    for await (const update of followContainerLog(this.#id, {
      logs,
      signal,
      since: 0,
      now: Date.now,
      ...after,
    })) {
      if (signal.aborted) break;
      if (update.type !== 'lines') {
        this.others.push(update);
        continue;
      }
      this.position = update.position;
      for (const { text } of update.lines) {
        const [, run = text.slice(0, 80), number] = /^R (\d+) (\d+)(?: x+)?$/.exec(text) ?? [];
        this.numbers.set(run, [...(this.numbers.get(run) ?? []), Number(number)]);
      }
    }
  }
}

/** Each run's numbers from 1 on, each once. The streams are in order by themselves only. */
function expectWhole(reading: Reading): void {
  for (const [run, numbers] of reading.numbers) {
    expect(
      numbers.toSorted((a, b) => a - b),
      run,
    ).toEqual(numbers.map((_, i) => i + 1));
  }
}

async function write(driver: string, args: readonly string[]): Promise<Container> {
  return lab.host.run({
    image: lab.images.base,
    log: { driver },
    arguments: ['--init', '--restart', 'always', ...args],
    command: ['bash', '-c', writer],
  });
}

describe('not a line is lost, and none comes twice', () => {
  // Docker 20.10's driver local ends long lines without newline, which a terminal's log can't show: not with --tty.
  it.each([
    ['json-file', []],
    ['json-file', ['--tty']],
    ['local', []],
  ])('over restarts of the reader, the container and the engine: log driver %s, %j', async (driver, args) => {
    await using container = await write(driver, args);
    const reading = new Reading(await container.inspect('{{.Id}}'));
    const goesOn = async (): Promise<void> => {
      const { last } = reading;
      await lab.host.until('more lines', async () => reading.last !== last);
      await delay(500);
    };
    await goesOn();
    await reading.stop();
    await delay(300);
    reading.start();
    await goesOn();
    await lab.host.docker('restart', '--time', '0', container.name);
    await goesOn();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await lab.host.restartEngine(signal);
      await goesOn();
    }
    await lab.host.docker('stop', '--time', '0', container.name);
    await delay(1000);
    await reading.stop();
    expect(reading.numbers.size).toBeGreaterThanOrEqual(3);
    expectWhole(reading);
  });

  it("also where another program cuts the log short, which stalls newer engines' streams (moby#45728)", async () => {
    await using container = await lab.host.run({
      image: lab.images.base,
      log: { driver: 'json-file' },
      command: ['bash', '-c', 'i=0; while :; do i=$((i+1)); echo "R 1 $i"; sleep 0.2; done'],
    });
    const reading = new Reading(await container.inspect('{{.Id}}'));
    await lab.host.until('its first lines', async () => reading.last > 10);
    const file = await container.inspect('{{.LogPath}}');
    const before = reading.last;
    await truncate(lab.host.path(file), 0);
    await lab.host.until('lines behind the cut', async () => reading.last > before + 60, 45_000);
    await reading.stop();
    expectWhole(reading);
  });
});
