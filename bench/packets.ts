// What a packet of an honest client pays: throughput of a published nginx with no bans and with 100,000 over 20 jails, next to the rules
// of fail2ban's iptables-multiport with 2,000 bans. Run as root: node bench/packets.ts [--rounds N]. Exits 1 if a figure misses what is wanted.
import { parseArgs } from 'node:util';
import type { Container } from '../test/lab/container.ts';
import { labImages } from '../test/lab/images.ts';
import { type Lab, startLab } from '../test/lab/lab.ts';
import { type Load, measure, type Sample } from './packets/load.ts';
import { type Measured, report } from './packets/report.ts';
import { variants } from './packets/variants.ts';

/** Measurements of a load each time that a variant is there. The variants take turns, as the machine is not always as busy. */
const times = 4;
const mostRounds = 100;

const loads: readonly Load[] = [
  { what: 'connections', port: 80, processes: 3 },
  { what: 'requests', port: 80, processes: 3 },
  // One sender: a packet's whole way through the host is walked on its time.
  { what: 'datagrams', port: 9, processes: 1 },
];

/** Takes UDP packets and does nothing with them. */
const sink = [
  'perl',
  '-MSocket',
  '-e',
  'socket S, PF_INET, SOCK_DGRAM, 0; bind S, pack_sockaddr_in 9, INADDR_ANY; sleep',
];

async function measureAll(lab: Lab, rounds: number): Promise<Measured[]> {
  const { host } = lab;
  const log = { driver: 'none' };
  await using web = await host.run({ name: 'web', publish: ['80:80'], log });
  await using _sink = await host.run({
    name: 'sink',
    image: labImages.base,
    command: sink,
    publish: ['9:9/udp'],
    log,
  });
  await using client = await lab.client('203.0.113.7');
  await host.until('nginx serves', async () => (await client.get(`http://${host.ip4}/`)) === 200, 10_000);
  const servers = await workersOf(lab, web);
  const measured = variants.map((variant) => ({
    variant,
    samples: new Map<string, Sample[]>(loads.map(({ what }) => [what, []])),
  }));
  for (let round = 1; round <= rounds; round += 1) {
    // There and back, so that none always comes after the same.
    for (const { variant, samples } of round % 2 === 1 ? measured : measured.toReversed()) {
      await variant.install(host);
      try {
        for (const load of loads)
          samples.get(load.what)!.push(...(await measure(client, host.ip4, load, servers, times)));
      } finally {
        await variant.remove(host);
      }
    }
    process.stderr.write(`round ${round} of ${rounds}\n`);
  }
  return measured;
}

/** Where this machine sees the folders in /proc of the processes that a container's first one has started. */
async function workersOf({ host }: Lab, container: Container): Promise<string[]> {
  const { stdout } = await host.exec(['pgrep', '--parent', String(await container.pid())]);
  return stdout.split('\n').map((pid) => host.path(`/proc/${pid}`));
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > mostRounds)
  throw new Error(`--rounds: a number from 1 to ${mostRounds}, not ${values.rounds}`);

{
  await using lab = await startLab({ product: false });
  const names = loads.map(({ what }) => what);
  const { text, misses, doubts } = report(await measureAll(lab, rounds), names);
  process.stdout.write(`${text}\n`);
  for (const doubt of doubts) process.stderr.write(`this machine is too busy to tell: ${doubt}\n`);
  for (const miss of misses) process.stderr.write(`MISSED: ${miss}\n`);
  process.exitCode = misses.length > 0 ? 1 : 0;
}
