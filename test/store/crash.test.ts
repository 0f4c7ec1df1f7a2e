import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openStore, temporaryDir } from './temporary.ts';

const writer = fileURLToPath(new URL('writer.ts', import.meta.url));

it('loses nothing that was stored when the process is killed in the middle of writing, twenty times', async () => {
  const dir = temporaryDir();
  let stored = 0;
  for (let round = 0; round < 20; round++) {
    const child = spawn(process.execPath, [writer, dir, String(stored)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // Somewhere within a write, further on each round.
      if (output.length > 50 + round * 97) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const printed = output.split('\n').slice(0, -1);
    expect(printed.filter((line) => !/^\d+$/.test(line))).toEqual([]);
    const before = stored;
    stored = Number(printed.at(-1));
    expect(stored).toBeGreaterThan(before);
    const { store, events } = openStore(dir);
    const counts = [...store.bans(0)].map(({ count }) => count);
    expect(events).toEqual([]);
    // A round writes from where the one before was known to be, so that rows come in the order of their numbers.
    expect(counts).toEqual(Array.from(counts, (_, index) => index + 1));
    expect(counts.length).toBeGreaterThanOrEqual(stored);
    expect(Number(store.positions.get('log'))).toBe(counts.length);
    store.close();
  }
}, 120_000);
