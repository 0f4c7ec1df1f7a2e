import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from './client.ts';
import type { Container } from './container.ts';
import { dockerEnv, type ExecResult } from './host.ts';
import { type Lab, startLab } from './lab.ts';
import { Page } from './page.ts';
import { projectRoot, provoke } from './product.ts';

// What README.md and docs/install.md tell somebody to do on the first day, one step after the other.

let lab: Lab;
let readme: Page;
let install: Page;
let attacker: Client;
let web: Container;
let volumesBefore: string;

beforeAll(async () => {
  readme = await Page.read(join(projectRoot, 'README.md'));
  install = await Page.read(join(projectRoot, 'docs/install.md'));
  lab = await startLab();
  attacker = await lab.client('203.0.113.7');
  volumesBefore = await volumes();
});

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
});

/** Runs what is pasted into a root shell on the host. */
async function paste(text: string): Promise<ExecResult> {
  const env = { ...dockerEnv, PATH: '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  return lab.host.exec(['bash', '-e', '-c', text], { cwd: projectRoot, env, timeoutMs: 180_000 });
}

const volumes = async (): Promise<string> => lab.host.docker('volume', 'ls', '--quiet');
const logged = async (): Promise<string> => lab.host.docker('logs', 'dock2ban');

it('starts dock2ban alone, with its socket proxy', async () => {
  const [start] = readme.blocks('Quick start', 'sh', 2);
  expect(install.blocks('Install', 'sh', 1)).toEqual([start]);
  await paste(start!);
  await lab.host.until('ready', async () => (await logged()).includes('dock2ban is ready'), 20_000);
  const names = (await lab.host.docker('ps', '--format', '{{.Names}}')).split('\n');
  expect(names.toSorted()).toEqual(['dock2ban', 'dock2ban-docker-socket']);
});

it('protects a container by one label, and logs what the README shows', async () => {
  const [label] = readme.blocks('Quick start', 'yaml', 2);
  const [, name, jail] = /^ *(fail2ban\.jail): (\S+)/m.exec(label!)!;
  web = await lab.host.run({
    name: 'web',
    publish: ['80:80'],
    labels: { [name!]: jail! },
    log: { driver: 'json-file' },
  });
  await lab.host.until('the jail', async () => (await logged()).includes(`[${jail}] Started`), 20_000);
  expect((await provoke(attacker, `http://${lab.host.ip4}`)).at(-1)).toBe('timeout');
  const withoutTimes = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME');
  const lines = withoutTimes(await logged()).split('\n');
  const [shown] = readme.blocks('Quick start', 'text', 1);
  for (const line of withoutTimes(shown!).trim().split('\n')) expect(lines).toContain(line);
});

it('answers the commands of the README', async () => {
  const [, commands] = readme.blocks('Quick start', 'sh', 2);
  const [status, why, unban, doctor] = commands!.trim().split('\n');
  expect((await paste(status!)).stdout).toContain('203.0.113.7');
  expect((await paste(why!)).stdout).toContain('/missing-0 ');
  await paste(unban!);
  expect(await attacker.get(`http://${lab.host.ip4}/`)).toBe(200);
  expect((await paste(`${doctor!.replace(/ *#.*/, '')} || true`)).stdout).toMatch(/^ok: /m);
});

it('is gone without a trace when it is uninstalled', async () => {
  expect((await paste('iptables-save; ipset list -n')).stdout).toContain('DOCK2BAN');
  const [uninstall] = install.blocks('Uninstall', 'sh', 1);
  await paste(uninstall!);
  const rules = await paste('iptables-save; ip6tables-save; ipset list -n; nft list tables');
  expect(rules.stdout.toLowerCase()).not.toContain('dock2ban');
  expect(await lab.host.docker('ps', '--all', '--format', '{{.Names}}')).toBe('web');
  expect(await volumes()).toBe(volumesBefore);
  await web[Symbol.asyncDispose]();
});
