// Reads the numbered lines of a log, and keeps what it has seen in a real store, together with its position: `node continuity-reader.ts
// LOG STATE-DIR`. Prints `stored N` whenever everything up to the number N is stored. Ends at SIGTERM.
import { Store } from '../../../src/store/store.ts';
import { tailFile } from '../../../src/sources/file/follow-file.ts';

/** What the reader counts, in place of a jail's failures. */
export interface Seen {
  /** From and to, inclusive, in the order in which they came. */
  readonly ranges: [number, number][];
  /** Numbers that came again. */
  readonly repeated: number[];
  /** Times that lines were said to be missing. */
  gaps: number;
  /** Lines that are no line of the writer's. */
  readonly odd: string[];
}

if (import.meta.main) {
  const [path = '', stateDir = ''] = process.argv.slice(2);
  const store = new Store({
    stateDir,
    purgeAge: 86_400,
    active: () => [],
    report: (event) => process.stderr.write(`${JSON.stringify(event)}\n`),
    clock: Date.now,
  });
  const { positions } = store;
  const seen: Seen = JSON.parse(
    positions.get('seen') ?? '{"ranges":[],"repeated":[],"gaps":0,"odd":[]}',
  ) as Seen;
  const end = new AbortController();
  process.once('SIGTERM', () => end.abort());
  let told = 0;
  const timer = setInterval(() => {
    const newest = Math.max(0, ...seen.ranges.map(([, to]) => to));
    if (store.status.waiting > 0 || newest === told) return;
    told = newest;
    process.stdout.write(`stored ${newest}\n`);
  }, 5);
  const after = positions.get('log');
  const options = { signal: end.signal, from: 'start' as const, ...(after !== undefined && { after }) };
  for await (const update of tailFile(path, options)) {
    if (update.type === 'gap') seen.gaps += 1;
    if (update.type !== 'lines') continue;
    for (const line of update.bytes.toString().split('\n').slice(0, -1)) take(line);
    positions.set('log', update.position);
    positions.set('seen', JSON.stringify(seen));
  }
  clearInterval(timer);
  positions.set('seen', JSON.stringify(seen));
  store.close();

  function take(line: string): void {
    const number = Number(/^n(\d+) \.*;$/.exec(line)?.[1] ?? NaN);
    if (Number.isNaN(number)) {
      seen.odd.push(line.slice(0, 100));
      return;
    }
    if (seen.ranges.some(([from, to]) => from <= number && number <= to)) seen.repeated.push(number);
    const last = seen.ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else seen.ranges.push([number, number]);
  }
}
