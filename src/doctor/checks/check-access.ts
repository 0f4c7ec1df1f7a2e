import { familyOf } from '../../net/address.ts';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import { formatPorts } from '../../config/options/ports.ts';
import type { ControllerView } from '../facts/controller-view.ts';
import { error, ok, type Finding } from '../finding.ts';

/** Allowlists and denylists by label, and whether the controller knows them. What it could not enforce is reported with the controller. */
export function checkAccess(accesses: readonly AccessSpec[], controller: ControllerView): Finding[] {
  const { status } = controller;
  const known = new Set(status?.access?.map(({ container }) => container));
  const missed = status && accesses.filter(({ container }) => !known.has(container));
  if (status && missed && missed.length > 0) {
    const names = missed.map(({ container }) => container).join(', ');
    return [
      error('containers', {
        what: `the controller does not know the allowlists and denylists of ${names}`,
        consequence: 'their published ports are open to everyone',
        remedy:
          'check that it is connected to Docker, and that its version knows these labels: docker logs dock2ban',
      }),
    ];
  }
  if (status?.firewall.backend === 'none' || accesses.length === 0) return [];
  return [ok('containers', `by label: ${accesses.map(describe).join('; ')}`)];
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
    unnamed.length === 1 ? ` (no IPv${unnamed[0]} address is allowed, so IPv${unnamed[0]} is closed)` : '';
  return `${container}: ${what} ${[...denied, ...allowed].join(', ')}${without}`;
}
