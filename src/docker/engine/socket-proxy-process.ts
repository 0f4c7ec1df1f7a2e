import { messageOf } from '../../errors.ts';
import { serveSocketProxy } from './socket-proxy.ts';

// What `dock2ban socket-proxy` starts.
const [engine = '', listen = ''] = process.argv.slice(2);
const report = (text: string): void => void process.stdout.write(`${text}\n`);
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => process.exit(0));
const onLeftBehind = (): void => {
  report(
    `the engine has replaced its socket, and ${engine} is the old one: ending, so that the restart mounts the new one (needs restart: unless-stopped)`,
  );
  process.exit(1);
};
try {
  await serveSocketProxy({ engine, listen, report, onLeftBehind });
  report(`serving the engine at ${engine} on ${listen}: only what dock2ban asks, read-only`);
} catch (error) {
  report(
    `cannot listen on ${listen}: ${messageOf(error)} (mount a writable folder there, or choose another --listen)`,
  );
  process.exitCode = 1;
}
