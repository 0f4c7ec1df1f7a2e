import { resolveJails } from '../../../src/config/resolve.ts';
import { container } from '../container.ts';
import { treeOf } from '../tree.ts';

const builtin = {
  'filter.d/nginx-proxy.conf':
    '[Definition]\nfailregex = ^<codes_<mode>> <HOST>\n[Init]\nmode = normal\ncodes_normal = 404\ncodes_aggressive = 401|404\n',
  'jail.d/nginx-proxy.conf': '[nginx-proxy]\nfilter = nginx-proxy[mode=%(mode)s]\nmaxretry = 4\n',
  'filter.d/sshd.conf': '[Definition]\nfailregex = ^ssh <HOST>\n',
};

const compileFilter = ({
  failregex,
  ignoreregex,
}: {
  failregex: readonly string[];
  ignoreregex: readonly string[];
}) =>
  [...failregex, ...ignoreregex].some((text) => text.includes('('))
    ? 'unbalanced "(" at position 3'
    : undefined;

/** What the labels of one container `web` come to; an expression with `(` can't be compiled. */
export const resolveLabels = (labels: Record<string, string>, more: Parameters<typeof container>[2] = {}) =>
  resolveJails({ tree: treeOf({}, builtin), containers: [container('web', labels, more)], compileFilter });
