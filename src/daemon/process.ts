import type { RunOptions } from './options.ts';
import { run } from './run.ts';

// What `launch` starts.
const [version = '', text = ''] = process.argv.slice(2);
const options: RunOptions = JSON.parse(text);
process.exitCode = await run(options, version);
