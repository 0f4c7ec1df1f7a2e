import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from './lab.ts';
import { type Product, provoke, startProduct } from './product.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab();
});

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
});

/** As compose.example.yml names it. */
const image = 'dock2ban/dock2ban:latest';

/** Capability numbers of linux/capability.h. */
const netAdmin = 1n << 12n;
const netRaw = 1n << 13n;

describe('the container', () => {
  // First, while no rules of an earlier run stand in the kernel.
  it('needs NET_RAW: without it, it says what is not enforced and why, and goes on', async () => {
    await using product: Product = await startProduct(
      lab,
      'services:\n  dock2ban:\n    cap_add: !override [NET_ADMIN]\n',
    );
    const error = await product.sees('firewall-error');
    expect(error.msg).toContain('NET_RAW');
    expect((await product.cli('status', '--json')).stdout).toContain('"healthy": false');
    await using attacker = await lab.client('198.51.100.86');
    expect((await provoke(attacker, `http://${lab.host.ip4}`, 6)).at(-1)).toBe(404);
    const errors = await product.eventsOf('firewall-error');
    expect(errors.length, 'not once every five seconds').toBeLessThan(5);
  });

  it('has NET_ADMIN and NET_RAW, no other capability, no way to more, and no writable root', async () => {
    await using product: Product = await startProduct(lab);
    const container = lab.host.container('dock2ban');
    for (const pid of [await container.pid(), await container.pidUnderInit()]) {
      const status = await readFile(lab.host.path(`/proc/${pid}/status`), 'utf8');
      const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)![1]!;
      for (const set of ['CapEff', 'CapPrm', 'CapBnd']) {
        expect(BigInt(`0x${field(set)}`), set).toBe(netAdmin | netRaw);
      }
      expect(field('NoNewPrivs')).toBe('1');
    }
    expect(await container.inspect('{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Privileged}}')).toBe(
      'true false',
    );
    expect((await product.cli('status')).exitCode).toBe(0);
  });

  it('runs under an init, with the permissions of Node that the program asks for', async () => {
    await using _product: Product = await startProduct(lab);
    const container = lab.host.container('dock2ban');
    const command = async (pid: number) =>
      (await readFile(lab.host.path(`/proc/${pid}/cmdline`), 'utf8')).split('\0');
    expect((await command(await container.pid()))[0]).toBe('tini');
    const flags = await command(await container.pidUnderInit());
    const allowed = (prefix: string) => flags.filter((flag) => flag.startsWith(prefix));
    expect(flags).toContain('--permission');
    expect(allowed('--allow-').filter((flag) => !flag.startsWith('--allow-fs-'))).toEqual([
      '--allow-child-process',
      '--allow-worker',
    ]);
    expect(allowed('--allow-fs-write=')).toEqual([
      '--allow-fs-write=/run/dock2ban/*',
      '--allow-fs-write=/var/lib/dock2ban/*',
    ]);
    const reads = allowed('--allow-fs-read=');
    expect(reads).toContain('--allow-fs-read=/var/log/*');
    expect(reads).toContain('--allow-fs-read=/app/*');
    expect(reads).not.toContain('--allow-fs-read=*');
    expect(reads).not.toContain('--allow-fs-read=/*');
  });

  it('ends in order at SIGTERM; when its program is killed, it ends with that code and is started again', async () => {
    await using product: Product = await startProduct(lab);
    const container = lab.host.container('dock2ban');
    await lab.host.exec(['kill', '-s', 'KILL', String(await container.pidUnderInit())]);
    await product.seesAnother('ready', {}, 1);
    expect(await container.inspect('{{.RestartCount}}')).toBe('1');
    expect((await product.eventsOf('stopped')).length).toBe(0);
    const before = Date.now();
    await lab.host.docker('stop', '--time', '10', 'dock2ban');
    expect(Date.now() - before).toBeLessThan(4000);
    expect((await product.eventsOf('stopped')).length).toBe(1);
    expect(await container.inspect('{{.State.ExitCode}}')).toBe('0');
  });

  it('has a health check that passes', async () => {
    await using _product: Product = await startProduct(
      lab,
      'services:\n  dock2ban:\n    healthcheck: { interval: 1s }\n',
    );
    const health = () => lab.host.container('dock2ban').inspect('{{.State.Health.Status}}');
    await lab.host.until('checked', async () => (await health()) !== 'starting');
    expect(await health()).toBe('healthy');
  });
});

/** Prints name and version of every package in /app/node_modules, wherever it is nested. */
const listPackages = `
  const { globSync, readFileSync } = require('node:fs');
  const inside = ['*', '@*/*'].flatMap((name) => globSync('/app/node_modules/{,**/node_modules/}' + name + '/package.json'));
  for (const file of inside) {
    const { name, version } = JSON.parse(readFileSync(file));
    if (version) console.log(name, version);
  }`;

describe('the image', () => {
  const run = async (...command: string[]): Promise<string> =>
    lab.host.docker(
      'run',
      '--rm',
      '--network',
      'none',
      '--entrypoint',
      command[0]!,
      image,
      ...command.slice(1),
    );

  it('has no package manager of Node, no headers, no types and no maps', async () => {
    const found = await run(
      'sh',
      '-c',
      `for name in npm npx corepack yarn; do command -v $name; done
       find / -xdev \\( -name node_modules -o -name node.h -o -name '*.js.map' -o -name '*.d.ts' \\) -prune -print`,
    );
    expect(found).toBe('/app/node_modules');
  });

  it('has a bill of materials with exactly its packages', async () => {
    const { components }: { components: { purl: string }[] } = JSON.parse(
      await run('cat', '/usr/share/doc/dock2ban/sbom.cdx.json'),
    );
    const listed = (kind: string) =>
      components
        .map(({ purl }) => purl)
        .filter((purl) => purl.startsWith(`pkg:${kind}/`))
        .toSorted();
    const inNodeModules = await run('node', '-e', listPackages);
    const purl = (kind: string) => (line: string) => {
      const [name = '', version = ''] = line.split(/\s/);
      return `pkg:${kind}/${name.replace('@', '%40').replaceAll('+', '%2B')}@${version.replaceAll('+', '%2B').replaceAll(':', '%3A')}`;
    };
    expect(listed('npm')).toEqual([...new Set(inNodeModules.split('\n').map(purl('npm')))].toSorted());
    const installed = (await run('dpkg-query', '-W', '-f', '${Package} ${Version}\n')).split('\n');
    // Of these journalctl was taken.
    const taken = /^pkg:deb\/debian\/(?:systemd|libsystemd-shared|libkmod2)@/;
    const debian = listed('deb');
    expect(debian.filter((one) => taken.test(one))).toHaveLength(3);
    expect(debian.filter((one) => !taken.test(one))).toEqual(installed.map(purl('deb/debian')).toSorted());
    expect(listed('generic')).toEqual([`pkg:generic/node@${(await run('node', '--version')).slice(1)}`]);
  });
});
