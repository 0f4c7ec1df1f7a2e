import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Client } from '../../test/lab/client.ts';

const program = fileURLToPath(new URL('load.py', import.meta.url));

/** Seconds of one measurement: short, so that some are not disturbed. */
const seconds = 0.3;

/** What a client does again and again. */
export interface Load {
  readonly what: 'connections' | 'requests' | 'datagrams';
  readonly port: number;
  /** Side by side. */
  readonly processes: number;
}

/** What a measurement showed. */
export interface Sample {
  /** How often it was done a second. */
  readonly rate: number;
  /**
   * Microseconds of processor time each time, of the client and of who serves it. What the kernel does for their packets is done on their time,
   * but for what it puts off.
   */
  readonly cpu: number;
}

/**
 * Lets a client do it some times.
 * @param servers folders in /proc of the processes that serve it
 * @throws if anything but the page was answered
 */
export async function measure(
  client: Client,
  address: string,
  { what, port, processes }: Load,
  servers: readonly string[],
  times: number,
): Promise<Sample[]> {
  const enter = ['--target', String(client.pid), '--net', 'python3', program];
  const load = execa('nsenter', [...enter, what, address, String(port), String(seconds), String(processes)], {
    timeout: times * 10_000,
  });
  const answers = createInterface({ input: load.stdout })[Symbol.asyncIterator]();
  const samples: Sample[] = [];
  for (let i = 0; i < times; i += 1) {
    const before = await processorTime(servers);
    load.stdin.write('\n');
    const { value, done } = await answers.next();
    if (done) break;
    const [count, rate, spent] = value.split(' ').map(Number) as [number, number, number];
    const served = (await processorTime(servers)) - before;
    samples.push({ rate, cpu: (spent * 1e6 + served) / count });
  }
  load.stdin.end();
  await load;
  return samples;
}

/** Microseconds so far. */
async function processorTime(processes: readonly string[]): Promise<number> {
  let sum = 0;
  for (const folder of processes)
    sum += Number((await readFile(`${folder}/schedstat`, 'utf8')).split(' ')[0]);
  return sum / 1000;
}
