import { readFileSync, write } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { logForm } from './events/log-form.ts';
import type { Culprit } from './quarantine.ts';
import { StallGauge } from './stall-gauge.ts';
import { stallNote, writeNote } from './stall-note.ts';
import type { WatchdogData } from './watchdog.ts';

/** What `Watchdog` starts: looks on from a thread of its own, and ends the process when its main thread has stalled. */
const { words, stateDir, logFormat, ownCpu }: WatchdogData = workerData;
const culprits = new Map<number, Culprit>();
const gauge = new StallGauge(ownCpu);

parentPort!.on('message', ([id, culprit]: [number, Culprit]) => culprits.set(id, culprit));

const looking = setInterval(() => {
  const stalled = gauge.tick(Atomics.load(words, 0), Atomics.load(words, 1), mainCpu);
  if (stalled === undefined) return;
  clearInterval(looking);
  end(culprits.get(stalled));
}, 1000);

function end(culprit: Culprit | undefined): void {
  let trouble = '';
  try {
    writeNote(stallNote(stateDir), { at: Date.now(), culprit });
  } catch (error) {
    trouble = `; this can't be noted, so nothing will be refused: ${String(error)}`;
  }
  const kill = (): void => void process.kill(process.pid, 'SIGKILL');
  // Whoever should read it may not.
  setTimeout(kill, 1000);
  write(2, lineOf(culprit, trouble), kill);
}

function lineOf({ jail, container, where }: Partial<Culprit> = {}, trouble: string): string {
  const at = where === undefined ? 'in its own work' : `in the expressions of ${where}`;
  const of = container === undefined ? '' : ` of container ${container}`;
  const msg = `${jail === undefined ? '' : `[${jail}] `}dock2ban is stuck for 10 seconds ${at}${of}: it ends itself to be restarted; bans stay in the kernel${trouble}`;
  const time = new Date().toISOString();
  const json = JSON.stringify({ level: 'fatal', time, event: 'stalled', jail, container, where, msg });
  return logForm(logFormat, false)(`${json}\n`);
}

/** Seconds of processor time of the process's first thread; proc(5). */
function mainCpu(): number | undefined {
  try {
    const text = readFileSync(`/proc/self/task/${process.pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}
