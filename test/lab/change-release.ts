import { tmpdir } from 'node:os';
import type { AptSettings } from './apt.ts';
import { cacheDirectory } from './cache.ts';
import { changeRoot } from './change-root.ts';
import { DataRoot } from './data-root.ts';
import { dataFolder, type Engine } from './engine.ts';
import { engineRoot } from './engine-root.ts';
import { type EngineVersion, suiteOf } from './engine-version.ts';
import { dockerRunner, type ImageSupply } from './image-supply.ts';
import { ImageTransfer } from './image-transfer.ts';
import { type ImageRecipe, labImages, projectRoot } from './images.ts';
import type { HostNamespace } from './namespace.ts';

/** What the machine's folders have that the host of any release sees. */
const kept = ['/proc', '/sys', '/dev', '/run', '/var/log', tmpdir(), projectRoot, cacheDirectory()];

/** A lab whose images are made, and whose engine doesn't run. */
export interface Preparation {
  readonly namespace: HostNamespace;
  readonly engine: Engine;
  readonly supply: ImageSupply;
  readonly recipes: readonly ImageRecipe[];
  readonly apt: AptSettings;
  readonly report: (text: string) => void;
}

/**
 * Puts the host on the release of Debian that has the engine, with the images that the machine's own engine has built.
 *
 * @returns what to call when that engine doesn't start; resolves to whether another try makes sense
 * @throws DamagedDataError
 */
export async function changeRelease(
  { namespace, engine, supply, recipes, apt, report }: Preparation,
  version: EngineVersion = '20.10',
): Promise<() => Promise<boolean>> {
  const suite = suiteOf[version];
  if (suite === undefined) return async () => supply.repair();
  const folder = await engineRoot(suite, apt, report);
  const target = await DataRoot.open(version);
  await target.quieten();
  // Nothing is built here: Node's image is only a base.
  const needed = recipes.filter(({ tag }) => tag !== labImages.node);
  const transfer = new ImageTransfer(supply, target, needed);
  await transfer.save();
  await changeRoot(namespace, { folder, kept, directories: { [dataFolder]: target.path } });
  await transfer.load(engine, dockerRunner(namespace));
  return async () => transfer.examine(engine).then(() => false);
}
