import { familyOf } from '../../net/address.ts';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import { formatPorts } from '../../config/options/ports.ts';
import type { ControllerView } from '../facts/controller-view.ts';
import { error, ok, type Finding } from '../finding.ts';

/** Who gets to which container by its labels, and whether the controller sees to it. What it could not enforce is told with the controller. */
export function checkAccess(accesses: readonly AccessSpec[], controller: ControllerView): Finding[] {
  const { status } = controller;
  const known = new Set(status?.access?.map(({ container }) => container));
  const missed = status && accesses.filter(({ container }) => !known.has(container));
  if (status && missed && missed.length > 0) {
    const names = missed.map(({ container }) => container).join(', ');
    return [
      error('containers', {
        what: `the controller does not know who may get to ${names}, though labels say`,
        consequence: 'their published ports are open to everyone',
        remedy:
          'look whether it follows Docker, and whether its version knows these labels: docker logs dock2ban',
      }),
    ];
  }
  if (status?.firewall.backend === 'none') return [];
  return accesses.map((access) => ok('containers', describe(access)));
}

function describe({ container, closes, direct = [], allow, deny }: AccessSpec): string {
  const apart = direct.map(
    ({ addresses, closes: there }) =>
      `${there === 'all' ? '' : `${formatPorts(there)} of `}${addresses.join(', ')}`,
  );
  const what = [...(closes.length > 0 ? [formatPorts(closes)] : []), ...apart].join(', ');
  const denied = deny.length > 0 ? [`closed to ${deny.join(', ')}`] : [];
  const allowed = allow ? [`open only to ${allow.join(', ') || 'this host'}`] : [];
  const unnamed = ([4, 6] as const).filter((family) => allow && !allow.some((ip) => familyOf(ip) === family));
  const without =
    unnamed.length === 1 ? ` (it names no address of IPv${unnamed[0]}, so nobody gets in over that)` : '';
  return `${container}: ${what} ${[...denied, ...allowed].join(', ')}${without}`;
}
