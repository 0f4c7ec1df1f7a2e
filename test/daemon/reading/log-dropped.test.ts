import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('says how many events are missing in a log that nobody read, and goes on', async () => {
  const program = fileURLToPath(new URL('log-writer.ts', import.meta.url));
  const child = spawn(process.execPath, [program, '40000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const found: number[] = [];
  const dropped: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, n, events } = JSON.parse(line) as { event: string; n: number; events: number };
    if (event === 'found') found.push(n);
    else if (event === 'log-dropped') dropped.push(events);
  }
  // 16 MiB of lines of some 1,100 characters.
  expect(found.length).toBeGreaterThan(10_000);
  expect(found).toEqual(found.map((_, index) => index));
  expect(dropped).toEqual([40_000 - found.length]);
});
