import { execa } from 'execa';
import type { DataRoot } from './data-root.ts';
import { buildArguments, type Engine } from './engine.ts';
import { dockerEnv } from './host.ts';
import type { ImageRecipe, RunDocker } from './images.ts';
import type { HostNamespace } from './namespace.ts';

/** How much of a failed build's output is shown. */
const shownLines = 40;

/** Sees to it that an engine's data has every image that a lab needs, before the lab's engine starts on it. */
export class ImageSupply {
  readonly #docker: RunDocker;
  readonly #dataRoot: DataRoot;
  readonly #engine: Engine;
  readonly #recipes: readonly ImageRecipe[];
  readonly #report: (text: string) => void;

  constructor(
    namespace: HostNamespace,
    dataRoot: DataRoot,
    engine: Engine,
    recipes: readonly ImageRecipe[],
    report: (text: string) => void,
  ) {
    this.#docker = dockerRunner(namespace);
    this.#dataRoot = dataRoot;
    this.#engine = engine;
    this.#recipes = recipes;
    this.#report = report;
  }

  /**
   * Builds what is missing or outdated, with an engine that reaches the package registries.
   *
   * @throws with the end of the output, if a build fails
   */
  async provide(): Promise<void> {
    if ((await this.#dataRoot.stale(this.#recipes)).length === 0) return;
    if (!(await this.#engineStarts())) await this.#startAnew();
    for (const recipe of await this.#dataRoot.stale(this.#recipes)) {
      this.#report(`building ${recipe.tag}`);
      await recipe.build(this.#docker, this.#report);
      await this.#dataRoot.record(recipe);
    }
    // The build cache is made of untagged images: only old ones go.
    await this.#docker(['image', 'prune', '--force', '--filter', 'until=48h']);
    await this.#engine.stop();
  }

  /**
   * To be called when the lab's engine didn't start: if that is because its data is damaged, makes all images anew.
   *
   * @returns whether another try makes sense
   */
  async repair(): Promise<boolean> {
    const intact = await this.#engineStarts();
    await this.#engine.stop();
    if (intact) return false;
    await this.#dataRoot.wipe();
    await this.provide();
    return true;
  }

  /** Saves images that `provide` has seen to into a file that `docker load` takes. */
  async save(tags: readonly string[], file: string): Promise<void> {
    await this.#engine.start(buildArguments, { network: 'machine' });
    await this.#docker(['save', '--output', file, ...tags]);
    await this.#engine.stop();
  }

  async #engineStarts(): Promise<boolean> {
    return this.#engine.start(buildArguments, { network: 'machine' }).then(
      () => true,
      () => false,
    );
  }

  async #startAnew(): Promise<void> {
    this.#report('the engine does not start on the images kept from before: making them anew');
    await this.#dataRoot.wipe();
    await this.#engine.start(buildArguments, { network: 'machine' });
  }
}

/**
 * Runs docker on a host of which nothing but the engine has been set up yet.
 *
 * @returns a function that throws with the end of the output, if a command fails
 */
export function dockerRunner(namespace: HostNamespace): RunDocker {
  return async (args, { env = {} } = {}) => {
    const inside = { env: { ...dockerEnv, ...env }, network: 'machine' } as const;
    const [program, argv] = namespace.command(['/usr/bin/docker', ...args], inside);
    const { failed, all } = await execa(program, argv, { all: true, stdin: 'ignore', reject: false });
    if (failed)
      throw new Error(`docker ${args[0]} failed:\n${all.split('\n').slice(-shownLines).join('\n')}`);
  };
}
