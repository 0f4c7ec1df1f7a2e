import { setTimeout as delay } from 'node:timers/promises';
import type { EngineClient } from './engine/engine-client.ts';
import type { ContainerSnapshot } from './snapshot.ts';

/** What an image's author has written on it; `unknown`: the engine doesn't tell. */
type Labels = Readonly<Record<string, string>> | 'unknown';

/** Milliseconds until an image that couldn't be asked for is asked for again. */
const askAgain = 60_000;
/** Images go and come: those that no container has any more are forgotten beyond so many. */
const mostKept = 1000;

/**
 * Tells which labels of containers are those of their images: Docker makes no difference. Each image is asked for once; one that doesn't answer holds
 * nothing up but its own new containers, and these for no longer than the engine client waits.
 */
export class ImageLabels {
  readonly #known = new Map<string, { readonly labels: Labels; readonly at: number }>();
  readonly #asked = new Map<string, Promise<void>>();
  /** Called when an image is known, for which a list may not have waited. */
  onAnswer: () => void = () => undefined;

  /**
   * The containers whose images are known, each with the labels that it has from there.
   * @param wait milliseconds until those whose images aren't are left out
   */
  async of<Container extends ContainerSnapshot>(
    containers: readonly Container[],
    client: EngineClient,
    signal: AbortSignal,
    wait: number,
  ): Promise<Container[]> {
    const ids = new Set(containers.flatMap(({ imageId }) => imageId ?? []));
    const answers = [...ids].flatMap((id) => (this.#isFresh(id) ? [] : this.#ask(id, client, signal)));
    const isNew = [...ids].some((id) => !this.#known.has(id));
    if (isNew) await within(wait, Promise.all(answers));
    for (const id of [...this.#known.keys()].slice(0, -mostKept)) if (!ids.has(id)) this.#known.delete(id);
    return containers.flatMap((container): Container[] => {
      if (container.imageId === undefined) return [container];
      const known = this.#known.get(container.imageId);
      if (!known) return [];
      if (known.labels === 'unknown') return [{ ...container, imageLabels: known.labels }];
      const same = Object.entries(known.labels).filter(([name, value]) => container.labels[name] === value);
      return [same.length > 0 ? { ...container, imageLabels: Object.fromEntries(same) } : container];
    });
  }

  #isFresh(id: string): boolean {
    const known = this.#known.get(id);
    return known !== undefined && (known.labels !== 'unknown' || performance.now() - known.at < askAgain);
  }

  #ask(id: string, client: EngineClient, signal: AbortSignal): Promise<void> {
    const asked = this.#asked.get(id) ?? this.#answer(id, client, signal);
    this.#asked.set(id, asked);
    return asked;
  }

  /** Never rejects. */
  async #answer(id: string, client: EngineClient, signal: AbortSignal): Promise<void> {
    try {
      const labels = (await client.inspectImage(id, signal)) ?? 'unknown';
      const ours = labels === 'unknown' ? labels : onlyOurs(labels);
      this.#known.set(id, { labels: ours, at: performance.now() });
      this.onAnswer();
    } catch {
      // The session is over: the next one asks again.
    } finally {
      this.#asked.delete(id);
    }
  }
}

/** Resolves when the answer is there, or after so many milliseconds. */
async function within(ms: number, answer: Promise<unknown>): Promise<void> {
  const end = new AbortController();
  const late = delay(ms, undefined, { signal: end.signal }).catch(() => undefined);
  await Promise.race([answer, late]);
  end.abort();
}

function onlyOurs(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).filter(([name]) => name.toLowerCase().startsWith('fail2ban.')),
  );
}
