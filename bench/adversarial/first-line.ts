// Prints the milliseconds that a filter's first line costs, in a process that has seen none: `node first-line.ts ascii|other`.
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { compileFilter } from '../../src/filter/filter.ts';

boundBacktracking();
const filter = compileFilter({
  name: 'one',
  failregex: ['bad login from <HOST>'],
  ignoreregex: [],
  prefregex: undefined,
  datepattern: undefined,
  maxlines: 1,
  usedns: 'no',
  logtype: 'file',
});
const text = `bad login from 192.0.2.1${process.argv[2] === 'ascii' ? '' : ' é'}`;
const start = performance.now();
filter.process({ text, time: undefined, dateRemoved: false }, Date.now());
process.stdout.write(String(performance.now() - start));
