import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePackages } from '../system/packages.ts';
import { aptSettings } from './apt.ts';
import { cacheDirectory } from './cache.ts';
import { Client } from './client.ts';
import { changeRelease } from './change-release.ts';
import { composeBinary } from './compose-binary.ts';
import { DataRoot } from './data-root.ts';
import { dataFolder, Engine } from './engine.ts';
import type { EngineVersion } from './engine-version.ts';
import { configureDocker, iptablesFolder, startSyslog } from './host-services.ts';
import { LabHost } from './host.ts';
import { ImageSupply } from './image-supply.ts';
import { DamagedDataError } from './image-transfer.ts';
import { labImageRecipes, labImages, productRecipe } from './images.ts';
import { connectClient, disconnectClient, setUpHostNetwork } from './link.ts';
import { HostNamespace, runtimeDirectory } from './namespace.ts';
import type { SyslogOptions } from './syslog.ts';

const ipv6Arguments = ['--experimental', '--ip6tables', '--ipv6', '--fixed-cidr-v6', 'fd00:d2b:1::/64'];

export interface LabOptions {
  /** Which Docker engine, on which release of Debian; default: 20.10 on Debian 12. */
  readonly engine?: EngineVersion;
  /** Whether the image of the project's Dockerfile is built, under the tag in compose.example.yml; default true. */
  readonly product?: boolean;
  /**
   * Whether the engine publishes ports over IPv6 by ip6tables (experimental in 20.10), with an IPv6 subnet on the default
   * network; default true. If false, docker-proxy serves IPv6 and hides the client's address.
   */
  readonly ipv6?: boolean;
  /** Which iptables the engine finds; default: the machine's own, on Debian nft. */
  readonly iptables?: 'legacy';
  readonly syslog?: SyslogOptions;
  /** More arguments of dockerd. */
  readonly engineArguments?: readonly string[];
  /** Where progress is told; default: standard error. */
  readonly report?: (text: string) => void;
}

/** A Docker host, and clients that reach it and nothing else. */
export class Lab implements AsyncDisposable {
  readonly host: LabHost;
  readonly images = labImages;
  readonly #cleanup: AsyncDisposableStack;
  #clients = 0;

  constructor(host: LabHost, cleanup: AsyncDisposableStack) {
    this.host = host;
    this.#cleanup = cleanup;
  }

  /**
   * Adds a client. It ends with the lab, or before by its own disposal.
   *
   * @param ip4 from 198.51.100.0/24 or 203.0.113.0/24
   * @param ip6 from 2001:db8::/32 but 2001:db8:0:1::/64; default: 2001:db8:198::66 for 198.51.100.66
   */
  async client(ip4: string, ip6 = ip6Like(ip4)): Promise<Client> {
    this.#clients += 1;
    const device = `client${this.#clients}`;
    const disconnect = async (): Promise<void> => disconnectClient(this.host.pid, device);
    const client = this.#cleanup.use(await Client.start({ ip4, ip6 }, disconnect));
    await connectClient(this.host.pid, client.pid, device, client);
    return client;
  }

  /** Removes containers, ends every process, frees the lock. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

/**
 * Raises the lab: installs missing packages, makes missing images, starts syslog and the engine. One lab runs at a time on a machine; a second
 * one waits for the first to end.
 *
 * @throws if this machine can't run it, or an image can't be built
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const report = options.report ?? ((text: string): void => void process.stderr.write(`lab: ${text}\n`));
  await ensurePackages(report);
  try {
    return await raise(options, report);
  } catch (error) {
    if (!(error instanceof DamagedDataError)) throw error;
    report(`${error.message}: making its images anew`);
    return raise(options, report);
  }
}

async function raise(options: LabOptions, report: (text: string) => void): Promise<Lab> {
  const dataRoot = await DataRoot.open();
  const logFolder = join(cacheDirectory(), 'host-var-log');
  await mkdir(logFolder, { recursive: true });

  await using stack = new AsyncDisposableStack();
  const mounts = { '/var/log': logFolder, [dataFolder]: dataRoot.path };
  const namespace = stack.use(await HostNamespace.create('dockerhost', mounts, report));
  // The lock is ours now: what is left of an earlier lab belongs to nobody.
  await clearFolder(logFolder);
  await dataRoot.quieten();
  const engineLog = join(runtimeDirectory, 'dockerd.log');
  await rm(engineLog, { force: true });
  const engine = new Engine(namespace, engineLog);
  stack.defer(async () => engine.stop());

  const apt = await aptSettings();
  const compose = await composeBinary(apt, report);
  await configureDocker(namespace, compose);
  const recipes = await labImageRecipes(apt);
  if (options.product !== false) recipes.push(await productRecipe(compose, recipes));
  const supply = new ImageSupply(namespace, dataRoot, engine, recipes, report);
  await supply.provide();
  const repair = await changeRelease({ namespace, engine, supply, recipes, apt, report }, options.engine);

  await startSyslog(namespace, options.syslog);
  await setUpHostNetwork(namespace.pid);
  const start = await engineStarter(namespace, engine, options);
  try {
    await start();
  } catch (error) {
    if (!(await repair())) throw error;
    await start();
  }
  const host = new LabHost(namespace, engine, start);
  stack.defer(async () => removeContainers(host));
  await removeContainers(host);
  return new Lab(host, stack.move());
}

/** What starts the engine as the lab's options say. */
async function engineStarter(
  namespace: HostNamespace,
  engine: Engine,
  options: LabOptions,
): Promise<() => Promise<void>> {
  const { ipv6 = true, iptables, engineArguments = [] } = options;
  const args = [...(ipv6 ? ipv6Arguments : []), ...engineArguments];
  if (iptables === undefined) return async () => engine.start(args);
  const folder = await iptablesFolder(namespace, iptables);
  const path = `${folder}:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  return async () => engine.start(args, { path });
}

async function removeContainers(host: LabHost): Promise<void> {
  const { exitCode, stdout } = await host.tryDocker('ps', '--all', '--quiet', '--no-trunc');
  const ids = stdout.split('\n').filter(Boolean);
  if (exitCode !== 0 || ids.length === 0) return;
  await host.tryDocker('rm', '--force', '--volumes', ...ids);
}

function ip6Like(ip4: string): string {
  const [first, , , last] = ip4.split('.');
  return `2001:db8:${first}::${last}`;
}

async function clearFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) await rm(join(folder, entry), { recursive: true, force: true });
}
