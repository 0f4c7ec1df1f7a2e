// What 100,000 bans cost, next to a process for each and to fail2ban: `npm run bench:bans`, as root. Exits 1 if a figure misses what is wanted.
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { backends } from './bans/backends.ts';
import type { Memory, Speed } from './bans/ours.ts';
import { fail2ban, ipsetProcesses } from './bans/peers.ts';

/** As the daemon starts itself (src/relaunch.ts). */
const flags = ['--expose-gc', '--max-semi-space-size=1', '--optimize-for-size'];

const wanted = { restore: 2000, rate: 10_000, resident: 300 };

/** Resident memory differs by some MB from run to run. */
const memoryRuns = 5;

const program = fileURLToPath(new URL('bans/ours.ts', import.meta.url));

async function ours(backend: string, what: string): Promise<unknown> {
  const { stdout } = await execa(process.execPath, [...flags, program, backend, what], {
    env: { MALLOC_ARENA_MAX: '1' },
    timeout: 120_000,
  });
  return JSON.parse(stdout);
}

let missed = 0;

function line(name: string, value: number, unit: string, limit?: string, isGood = true): void {
  if (!isGood) missed += 1;
  const note = limit === undefined ? '' : ` (wanted: ${limit}${isGood ? '' : ', MISSED'})`;
  console.log(`  ${name.padEnd(52)} ${Math.round(value).toLocaleString('en').padStart(9)} ${unit}${note}`);
}

for (const backend of Object.keys(backends)) {
  const speed = (await ours(backend, 'speed')) as Speed;
  const memories: Memory[] = [];
  for (let i = 0; i < memoryRuns; i += 1) memories.push((await ours(backend, 'memory')) as Memory);
  const memory = memories.toSorted((a, b) => a.resident - b.resident)[Math.floor(memoryRuns / 2)]!;
  console.log(`dock2ban, ${backend}`);
  line(
    '100,000 bans of 20 jails into the kernel',
    speed.restore,
    'ms',
    'under 2,000',
    speed.restore < wanted.restore,
  );
  line(
    'taking them over after a restart',
    speed.takeOver,
    'ms',
    'under 2,000',
    speed.takeOver < wanted.restore,
  );
  line('a look at them that finds nothing to do', speed.idle, 'ms');
  for (const [name, rate] of [
    ['separate bans', speed.adds],
    ['separate unbans', speed.removes],
  ] as const) {
    line(name, rate, '/s', '10,000', rate >= wanted.rate);
  }
  // With 20 jails, nft takes 170 µs for a transaction, however it is asked.
  line('bans, each after the one before', speed.addsOneByOne, '/s');
  line('unbans, each after the one before', speed.removesOneByOne, '/s');
  line('one of 10,000 bans a second into the kernel, median', speed.median, 'ms');
  line('one in a hundred of them takes more than', speed.slow, 'ms');
  line('resident memory a ban', memory.resident, 'bytes', 'at most 300', memory.resident <= wanted.resident);
  line('of it on the heap', memory.heap, 'bytes');
}
console.log('others');
line('an ipset process a ban', await ipsetProcesses(), '/s');
line('fail2ban by hand, iptables-multiport', await fail2ban('iptables-multiport', ['iptables-save']), '/s');
line('fail2ban by hand, iptables-ipset', await fail2ban('iptables-ipset-proto6', ['ipset', 'save']), '/s');
process.exitCode = missed === 0 ? 0 : 1;
