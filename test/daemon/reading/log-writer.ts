// Logs numbered events in one go, more than may wait: `node log-writer.ts EVENTS`. Ends when they are written.
import { openLog } from '../../../src/daemon/events/logger.ts';

const { logger, flush } = openLog('json', 'info');
for (let n = 0; n < Number(process.argv[2]); n++) logger.info({ event: 'found', n }, 'x'.repeat(1000));
await flush();
// What was missing is said once the rest is out.
await new Promise((resolve) => setTimeout(resolve, 100));
await flush();
