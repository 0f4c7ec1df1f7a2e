import type { EngineVersion } from './engine-answers.ts';

/** The newest API version whose answers this code was written against (Engine 29). */
const newestKnown = '1.52';

/**
 * The API version to speak: the engine's own, but none newer than we know, unless the engine has already dropped that one.
 * Engine 20.10 speaks 1.41; Engine 29 refuses what is below 1.44.
 */
export function negotiateApiVersion({ ApiVersion, MinAPIVersion }: EngineVersion): string {
  const known = MinAPIVersion && isOlder(newestKnown, MinAPIVersion) ? MinAPIVersion : newestKnown;
  return isOlder(ApiVersion, known) ? ApiVersion : known;
}

function isOlder(a: string, b: string): boolean {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA !== majorB ? majorA < majorB : minorA < minorB;
}
