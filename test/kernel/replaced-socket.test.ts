import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FakeEngine } from '../docker/fake-engine.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let folder: string;
let engine: FakeEngine;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-replaced-'));
  engine = await new FakeEngine().start();
  writeFileSync(join(folder, 'mounted.sock'), '');
});

afterEach(async () => {
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** `dock2ban socket-proxy` behind a mount of the engine's socket alone, as in a container. */
async function startBehindMount() {
  const listen = join(folder, 'served.sock');
  const script =
    'mount --bind "$1" "$2" && exec "$3" "$4" socket-proxy --docker-host "unix://$2" --listen "$5"';
  const paths = [engine.socketPath, join(folder, 'mounted.sock'), process.execPath, main, listen];
  const child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', ...paths]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  await vi.waitFor(() => expect(output).toContain('serving'), { timeout: 20_000 });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  return { listen, ended, output: () => output };
}

/** The status of an answer; undefined if it breaks off. */
async function ask(socketPath: string): Promise<number | undefined> {
  const asked = request({ socketPath, path: '/version' }).end();
  try {
    const [answer] = (await once(asked, 'response')) as [{ statusCode: number; destroy: () => void }];
    answer.destroy();
    return answer.statusCode;
  } catch {
    return undefined;
  }
}

describe('a mounted socket', () => {
  it('that the engine has replaced ends the proxy, which says why; the restart mounts the new one', async () => {
    const first = await startBehindMount();
    expect(await ask(first.listen)).toBe(200);
    await engine.stop();
    rmSync(engine.socketPath, { force: true });
    await engine.start();
    expect(existsSync(engine.socketPath)).toBe(true);
    await ask(first.listen);
    expect((await first.ended)[0]).toBe(1);
    expect(first.output()).toContain('the engine has replaced its socket');
    const second = await startBehindMount();
    expect(await ask(second.listen)).toBe(200);
  }, 60_000);
});
