import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Lab, startLab } from './lab.ts';
import { startProduct } from './product.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab();
}, 600_000);

afterAll(() => lab[Symbol.asyncDispose]());

it('dock2ban without the host network says that bans hold nothing; with it, nothing of the kind', async () => {
  const { host } = lab;
  await using product = await startProduct(lab);
  expect(await product.eventsOf('config-error')).toEqual([]);

  const socket = '/run/docker.sock:/var/run/docker.sock:ro';
  const flags = ['--detach', '--name', 'bridged', '--cap-add', 'NET_ADMIN', '--volume', socket];
  await host.docker('run', ...flags, 'dock2ban/dock2ban:latest', 'run');
  const isReady = async (): Promise<boolean> =>
    (await host.docker('logs', 'bridged')).includes('dock2ban is ready');
  await host.until('ready', isReady, 20_000);
  expect(await host.docker('logs', 'bridged')).toMatch(
    /bans are not enforced: .*nginx-proxy.*network_mode: host/,
  );
  const { stdout } = await host.tryDocker('exec', 'bridged', 'dock2ban', 'doctor', '--wait', '0');
  expect(stdout).toContain(
    "error: engine: none of the addresses here belongs to a bridge network of Docker's",
  );
  await host.docker('rm', '--force', 'bridged');
});
