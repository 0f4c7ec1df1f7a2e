import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheDirectory } from './cache.ts';
import type { ImageRecipe } from './images.ts';

/**
 * The engine's data, kept from lab to lab so that images and build layers are made once. One for each version of the engine.
 * Beside it is noted which recipe each image was made from.
 */
export class DataRoot {
  readonly path: string;
  readonly #stamps: string;

  private constructor(path: string) {
    this.path = path;
    this.#stamps = `${path}.images.json`;
  }

  /** @param version the engine's; undefined: that of the machine's own */
  static async open(version?: string): Promise<DataRoot> {
    const root = new DataRoot(join(cacheDirectory(), `docker-${version ?? (await machineVersion())}`));
    await mkdir(root.path, { recursive: true });
    return root;
  }

  /** The recipes whose image is missing, or older than what it is made of. */
  async stale(recipes: readonly ImageRecipe[]): Promise<ImageRecipe[]> {
    const stamps = await readJson(this.#stamps);
    const tags = await this.#tags();
    return recipes.filter((recipe) => stamps[recipe.tag] !== recipe.hash || !tags.has(recipe.tag));
  }

  /** Notes that an image was made. */
  async record(recipe: ImageRecipe): Promise<void> {
    const stamps = { ...(await readJson(this.#stamps)), [recipe.tag]: recipe.hash };
    await writeFile(this.#stamps, JSON.stringify(stamps, undefined, 2));
  }

  /** Removes everything; to be called while no engine runs on it. */
  async wipe(): Promise<void> {
    await rm(this.#stamps, { force: true });
    for (const entry of await readdir(this.path)) {
      await rm(join(this.path, entry), { recursive: true, force: true });
    }
  }

  /** Keeps containers of a killed lab from starting with the engine, and forgets its networks. Before the engine starts. */
  async quieten(): Promise<void> {
    const containers = join(this.path, 'containers');
    for (const id of await readdir(containers).catch(() => [])) {
      const file = join(containers, id, 'hostconfig.json');
      const never = { ...(await readJson(file)), RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } };
      await writeFile(file, JSON.stringify(never));
    }
    await rm(join(this.path, 'network/files'), { recursive: true, force: true });
  }

  /** The tags in the engine's store. */
  async #tags(): Promise<ReadonlySet<string>> {
    const store = await readJson(join(this.path, 'image/overlay2/repositories.json'));
    const repositories = Object.values(store['Repositories'] ?? {});
    return new Set(repositories.flatMap((tags) => Object.keys(tags ?? {})));
  }
}

async function machineVersion(): Promise<string> {
  const { stdout } = await execa('/usr/sbin/dockerd', ['--version']);
  return /version ([\w.+~-]+)/.exec(stdout)?.[1] ?? 'unknown';
}

/** The object in a JSON file; empty if there is none that can be read. */
async function readJson(file: string): Promise<Record<string, unknown>> {
  try {
    const value: Record<string, unknown> = JSON.parse(await readFile(file, 'utf8'));
    return value;
  } catch {
    return {};
  }
}
