// What reading a busy container's log costs the engine itself, beside what it costs dock2ban: a container logs as fast as it can, and both
// processes' CPU is taken in the same seconds. Run as root, in the lab: npm run bench:engine-cost
import { setTimeout as delay } from 'node:timers/promises';
import type { LabHost } from '../test/lab/host.ts';
import { startLab } from '../test/lab/lab.ts';
import { startProduct } from '../test/lab/product.ts';

/** Seconds. */
const seconds = 15;
/** Seconds of a tick of the kernel's clock in /proc/PID/stat. */
const tick = 0.01;

const line =
  'www.example.com 203.0.113.7 - - [22/Nov/2026:13:44:53 +0000] "GET /articles/1/index.html HTTP/1.1" 200 1234 "-" "Mozilla/5.0 Firefox/128.0" "172.18.0.4:80"';

await using lab = await startLab({ report: (text) => console.log(text) });
const product = await startProduct(lab);
try {
  for (const driver of ['json-file', 'local']) {
    for (const read of [false, true]) console.log(await measure(driver, read));
  }
} finally {
  await product[Symbol.asyncDispose]();
}

/** @param read whether dock2ban follows the container */
async function measure(driver: string, read: boolean): Promise<string> {
  const { host } = lab;
  await using _container = await host.run({
    name: 'busy',
    image: lab.images.base,
    log: { driver, options: { 'max-size': '50m', 'max-file': '3' } },
    ...(read && { labels: { 'fail2ban.jail': 'nginx-proxy' } }),
    command: ['bash', '-c', `yes '${line}'`],
  });
  await delay(3000);
  const pids = [await engineOf(host), await host.container('dock2ban').pidUnderInit()];
  const before = await Promise.all(pids.map((pid) => cpuOf(host, pid)));
  const lines = read ? await linesRead() : 0;
  await delay(seconds * 1000);
  const after = await Promise.all(pids.map((pid) => cpuOf(host, pid)));
  const [engine, ours] = after.map((cpu, index) => ((cpu - before[index]!) / seconds) * 100);
  const rate = read ? ((await linesRead()) - lines) / seconds : 0;
  return (
    `${driver}, ${read ? 'read' : 'not read'}: engine ${engine!.toFixed(0)} % of one core, dock2ban ${ours!.toFixed(0)} %` +
    (read ? `, ${Math.round(rate).toLocaleString('en')} lines per second` : '')
  );
}

async function linesRead(): Promise<number> {
  const { stdout } = await product.cli('status', '--json');
  const { sources }: { sources: readonly { source: string; lines: number | null }[] } = JSON.parse(stdout);
  return sources.find(({ source }) => source === 'docker:busy')?.lines ?? 0;
}

async function engineOf(host: LabHost): Promise<number> {
  return Number((await host.exec(['cat', '/run/docker.pid'])).stdout);
}

async function cpuOf(host: LabHost, pid: number): Promise<number> {
  const { stdout } = await host.exec(['cat', `/proc/${pid}/stat`]);
  const fields = stdout.split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tick;
}
