import type { ConfFile } from './conf-file.ts';
import type { ConfigProblem } from '../jail-spec.ts';

/**
 * All configuration files, as read at one moment. Files are known by their path below the directory
 * (`filter.d/sshd.conf`), those from elsewhere by their absolute path. Both layers hold `jail.d` and `filter.d`.
 */
export interface ConfigTree {
  /** The user's directory, such as `/etc/fail2ban`. */
  readonly configDir: string;
  /** The user's files. */
  readonly user: ReadonlyMap<string, ConfFile>;
  /** The files shipped with dock2ban, below the user's. */
  readonly builtin: ReadonlyMap<string, ConfFile>;
  /** Files that could not be read. */
  readonly problems: readonly ConfigProblem[];
}

/** The file of this path; one of the user's hides a built-in one. */
export function fileAt(tree: ConfigTree, path: string): ConfFile | undefined {
  return tree.user.get(path) ?? tree.builtin.get(path);
}

/**
 * The files that make up `name`, in the order in which they are read: `name.conf`, `name.d/*.conf`, `name.local`,
 * `name.d/*.local`.
 */
export function layers(files: Iterable<string>, name: string): string[] {
  const paths = [...files].toSorted();
  const own = (extension: string): string[] => [
    ...paths.filter((path) => path === name + extension),
    ...paths.filter((path) => inDirectory(path, `${name}.d`) && path.endsWith(extension)),
  ];
  return [...own('.conf'), ...own('.local')];
}

function inDirectory(path: string, directory: string): boolean {
  const name = path.slice(directory.length + 1);
  return path.startsWith(`${directory}/`) && !name.includes('/') && !name.startsWith('.');
}

/** Names of all filters of both layers. */
export function filterNames(tree: ConfigTree): string[] {
  const names = new Set<string>();
  for (const path of [...tree.user.keys(), ...tree.builtin.keys()]) {
    const name = /^filter\.d\/([^/]+)\.(?:conf|local)$/.exec(path)?.[1];
    if (name !== undefined) names.add(name);
  }
  return [...names].toSorted();
}
