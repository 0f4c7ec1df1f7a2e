import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import type { NameResolver } from '../../filter/resolver.ts';
import type { Jail } from '../../jail/jail.ts';
import type { EventLog } from '../events/event-log.ts';

interface ReadFile {
  /** The file when it was read; if either changes, it is read again. */
  readonly version: string;
  readonly entries: readonly string[];
}

/** Keeps the addresses of DNS names and files in `ignoreip` up to date. */
export class IgnoreRefresh {
  readonly #resolver: NameResolver;
  readonly #events: EventLog;
  readonly #files = new Map<string, ReadFile>();
  /** The last known addresses, so that a failing resolver takes nobody's protection away. */
  readonly #addresses = new Map<string, readonly string[]>();

  constructor(resolver: NameResolver, events: EventLog) {
    this.#resolver = resolver;
    this.#events = events;
  }

  /** Checks the files and resolves the names again; a name's first answer counts from the next call on. */
  async refresh(jails: Iterable<Jail>): Promise<void> {
    for (const jail of jails) {
      const { ignoreNames = [], ignoreFiles = [] } = jail.spec;
      if (ignoreNames.length === 0 && ignoreFiles.length === 0) continue;
      const fromFiles = (await Promise.all(ignoreFiles.map((path) => this.#read(path)))).flat();
      const names = [...ignoreNames, ...fromFiles];
      jail.setIgnoredNow([...fromFiles, ...names.flatMap((name) => this.#addressesOf(name))]);
    }
  }

  async #read(path: string): Promise<readonly string[]> {
    const known = this.#files.get(path);
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const version = [mtimeMs, size, ino].join();
      if (known?.version === version) return known.entries;
      const entries = parseIgnoreFile(await readFile(path, 'utf8'));
      this.#files.set(path, { version, entries });
      return entries;
    } catch (error) {
      if (known?.version !== 'unreadable') {
        this.#events.sourceLost(
          path,
          messageOf(error),
          'ignoreip names this file: mount it, or remove the entry',
        );
      }
      const entries = known?.entries ?? [];
      this.#files.set(path, { version: 'unreadable', entries });
      return entries;
    }
  }

  #addressesOf(name: string): readonly string[] {
    const answer = this.#resolver.lookup(name, (addresses) => this.#learn(name, addresses));
    if (answer) this.#learn(name, answer);
    return this.#addresses.get(name) ?? [];
  }

  #learn(name: string, addresses: readonly string[]): void {
    if (addresses.length > 0) this.#addresses.set(name, addresses);
  }
}

/** Addresses, networks and names, one or more a line; `#` and `;` begin comments. */
export function parseIgnoreFile(text: string): string[] {
  return text.split('\n').flatMap((line) =>
    line
      .replace(/[#;].*/, '')
      .split(/[\s,]+/)
      .filter(Boolean),
  );
}
