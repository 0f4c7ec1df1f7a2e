import { isOurLabel } from './engine/engine-answers.ts';
import type { EngineClient } from './engine/engine-client.ts';
import { Inquiries, type Inquiry } from './inquiry.ts';
import type { ContainerSnapshot } from './snapshot.ts';

type Labels = Readonly<Record<string, string>>;

/** Milliseconds until an image that couldn't be asked for is asked for again. */
const askAgain = 60_000;

/**
 * Tells which labels of containers are those of their images: Docker makes no difference. Each image is asked for once; one that doesn't answer holds
 * nothing up but its own new containers, and these for no longer than the engine client waits.
 */
export class ImageLabels {
  /** By id of the image. */
  readonly #images = new Inquiries<Labels>({ first: askAgain, longest: askAgain });

  /** Asks for the images of these containers. */
  ask(
    containers: readonly ContainerSnapshot[],
    client: EngineClient,
    signal: AbortSignal,
  ): Inquiry<unknown>[] {
    const ids = new Set(containers.flatMap(({ imageId }) => imageId ?? []));
    this.#images.keep(ids);
    const call = async (id: string): Promise<Labels> => onlyOurs(await client.inspectImage(id, signal));
    return [...ids].map((id) => this.#images.ask(id, '', () => call(id), signal));
  }

  /** Those of the containers whose images have been asked for, each with the labels that it has from there. */
  addTo<Container extends ContainerSnapshot>(containers: readonly Container[]): Container[] {
    return containers.flatMap((container): Container[] => {
      if (container.imageId === undefined) return [container];
      const { value, error } = this.#images.get(container.imageId) ?? {};
      if (!value) return error ? [{ ...container, imageLabels: 'unknown' }] : [];
      const same = Object.entries(value).filter(([name, text]) => container.labels[name] === text);
      return [same.length > 0 ? { ...container, imageLabels: Object.fromEntries(same) } : container];
    });
  }
}

function onlyOurs(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => isOurLabel(name)));
}
