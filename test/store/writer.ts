import { Store } from '../../src/store/store.ts';

/** Writes bans without end, and prints the number of each that is stored. For the test that kills it. */
const [stateDir = '', first = '0'] = process.argv.slice(2);
const store = new Store({
  stateDir,
  purgeAge: 86_400,
  active: () => [],
  report: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  clock: Date.now,
});

function write(from: number): void {
  const to = from + 1 + (from % 97);
  for (let n = from; n < to; n++) {
    const ip = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
    const lines = [`line ${n} `.repeat(20)];
    store.put({
      jail: 'sshd',
      ip,
      since: n,
      until: undefined,
      count: n + 1,
      failures: 5,
      container: 'web',
      lines,
    });
  }
  store.positions.set('log', String(to));
  if (store.flush()) process.stdout.write(`${to}\n`, () => write(to));
}
write(Number(first));
