import { ConfigError, invalid } from '../conf/config-error.ts';
import { parseDuration } from './duration.ts';
import { parseCall } from './filter-call.ts';

/** How long the answer to "is this one ignored?" is remembered (`ignorecache`). */
export interface IgnoreCache {
  /** What answers are remembered by, `<tags>` not yet replaced: `<F-USER>@<ip-host>`. */
  readonly key: string;
  /** Answers to remember at most. */
  readonly maxCount: number;
  /** Seconds. */
  readonly maxTime: number;
}

/**
 * Parses `key="<ip>", max-count=100, max-time=5m`.
 *
 * @throws ConfigError
 */
export function parseIgnoreCache(text: string): IgnoreCache {
  const { options } = parseCall(`ignorecache[${text}]`);
  const key = options.get('key');
  if (key === undefined)
    throw new ConfigError('key is missing', 'write key="<ip>", max-count=100, max-time=5m');
  const count = options.get('max-count') ?? '100';
  if (!/^[1-9]\d{0,6}$/.test(count)) throw invalid('max-count', count, 'write max-count=100');
  return { key, maxCount: Number(count), maxTime: parseDuration(options.get('max-time') ?? '5m') };
}
