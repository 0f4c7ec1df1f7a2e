import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { announcePresence, isPresent } from '../../src/control/presence.ts';

it('is seen by others, taken once, and gone with its process', async () => {
  const name = `\0dock2ban-test-${process.pid}`;
  expect(await isPresent(name)).toBe(false);
  const module = fileURLToPath(new URL('../../src/control/presence.ts', import.meta.url));
  const script = `
    const { announcePresence } = await import(process.argv[1]);
    console.log(await announcePresence('\\0' + process.argv[2]));
    setInterval(() => undefined, 1000);`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', script, module, name.slice(1)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [first] = (await once(other.stdout, 'data')) as [Buffer];
  expect(first.toString()).toBe('true\n');
  expect(await isPresent(name)).toBe(true);
  expect(await announcePresence(name)).toBe(false);
  other.kill('SIGKILL');
  await once(other, 'close');
  expect(await isPresent(name)).toBe(false);
  expect(await announcePresence(name)).toBe(true);
});
