import type { DirectPath } from '../../config/jail-spec.ts';
import { FirewallError } from '../../firewall/tool/errors.ts';
import type { Tools } from '../../firewall/tool/exec.ts';
import { netdevTable } from '../../firewall/nft/ingress-layout.ts';
import { listNetdevTable } from '../../firewall/nft/ingress-tool.ts';
import { error, ok, untested, type Finding } from '../finding.ts';

/**
 * Whether bans, and what labels say of who gets in, stand where packets of containers on macvlan and ipvlan pass. Changes nothing.
 * @param guarded jails and containers
 */
export async function checkDirect(
  tools: Tools,
  guarded: readonly { readonly direct?: readonly DirectPath[] }[],
): Promise<Finding[]> {
  const paths = guarded.flatMap(({ direct = [] }) => direct);
  const parents = [...new Set(paths.map(({ parent }) => parent))];
  if (parents.length === 0) return [];
  let chains: ReadonlyMap<string, string>;
  try {
    chains = (await listNetdevTable(tools)).blocks;
  } catch (thrown) {
    if (!(thrown instanceof FirewallError)) throw thrown;
    return [
      untested(
        'firewall',
        `whether bans hold at ingress of ${parents.join(', ')}: ${thrown.message}`,
        thrown.fix,
      ),
    ];
  }
  return parents.map((parent) => {
    if (chains.has(`chain ingress-${parent}`)) {
      return ok(
        'firewall',
        `the table ${netdevTable} hangs at ingress of ${parent}, for containers on macvlan and ipvlan`,
      );
    }
    const open = new Set(
      paths.filter((path) => path.parent === parent).flatMap(({ addresses }) => addresses),
    );
    return error('firewall', {
      what: `the table ${netdevTable} does not hang at ingress of ${parent}`,
      consequence: `bans and labels do not hold for ${[...open].join(', ')}: packets there pass none of the host's other chains`,
      remedy: `see that the interface ${parent} exists (ip link show ${parent}) and that the controller runs; it tries again every 5 seconds`,
    });
  });
}
