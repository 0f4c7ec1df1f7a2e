import { parseConfFile, type ConfFile } from '../../src/config/conf/conf-file.ts';
import type { ConfigTree } from '../../src/config/conf/config-tree.ts';

/** A tree of files given as text, by path below `/etc/fail2ban` and below dock2ban's own `/filters`. */
export function treeOf(user: Record<string, string>, builtin: Record<string, string> = {}): ConfigTree {
  const parse = (root: string, files: Record<string, string>): Map<string, ConfFile> =>
    new Map(Object.entries(files).map(([path, text]) => [path, parseConfFile(text, `${root}/${path}`)]));
  return {
    configDir: '/etc/fail2ban',
    user: parse('/etc/fail2ban', user),
    builtin: parse('/filters', builtin),
    problems: [],
  };
}
