import { cached, recipeHash } from './cache.ts';
import type { DataRoot } from './data-root.ts';
import { buildArguments, type Engine } from './engine.ts';
import type { ImageSupply } from './image-supply.ts';
import type { ImageRecipe, RunDocker } from './images.ts';

/** An engine did not start on its data, which have been removed: the lab can be raised anew. */
export class DamagedDataError extends Error {
  override readonly name = 'DamagedDataError';
}

/** Takes the images that one engine has built to the data of another, which then need not build at all. */
export class ImageTransfer {
  readonly #supply: ImageSupply;
  readonly #target: DataRoot;
  readonly #recipes: readonly ImageRecipe[];
  #missing: readonly ImageRecipe[] = [];

  /** @param recipes those that the other engine needs */
  constructor(supply: ImageSupply, target: DataRoot, recipes: readonly ImageRecipe[]) {
    this.#supply = supply;
    this.#target = target;
    this.#recipes = recipes;
  }

  /** Saves what the target lacks, while the host is still the builder's. */
  async save(): Promise<void> {
    this.#missing = await this.#target.stale(this.#recipes);
    if (this.#missing.length > 0) await this.#archive();
  }

  /**
   * Loads what was saved, by the target's engine, which is stopped again.
   *
   * @throws DamagedDataError
   */
  async load(engine: Engine, docker: RunDocker): Promise<void> {
    if (this.#missing.length === 0) return;
    const archive = await this.#archive();
    await this.#start(engine);
    await docker(['load', '--quiet', '--input', archive]);
    for (const recipe of this.#missing) await this.#target.record(recipe);
    await docker(['image', 'prune', '--force']);
    await engine.stop();
  }

  /**
   * To be called when the lab's engine didn't start: returns if that is not because of its data.
   *
   * @throws DamagedDataError
   */
  async examine(engine: Engine): Promise<void> {
    await this.#start(engine);
    await engine.stop();
  }

  async #start(engine: Engine): Promise<void> {
    try {
      await engine.start(buildArguments);
    } catch (cause) {
      await this.#target.wipe();
      throw new DamagedDataError(`no engine starts on ${this.#target.path}`, { cause });
    }
  }

  async #archive(): Promise<string> {
    const tags = this.#missing.map(({ tag }) => tag);
    const hash = recipeHash(...this.#missing.flatMap((recipe) => [recipe.tag, recipe.hash]));
    return cached('images', hash, async (draft) => this.#supply.save(tags, draft));
  }
}
