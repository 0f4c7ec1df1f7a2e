import type { Family } from '../../net/address.ts';
import type { WantedSet } from './access-rules.ts';
import type { FirewallError } from '../tool/errors.ts';
import type { Shortfall } from '../firewall.ts';

/** Containers whose labels are not enforced, as one shortfall. @param family undefined: both */
export function unclosed(
  containers: readonly string[],
  family: Family | undefined,
  error: FirewallError,
): Shortfall[] {
  if (containers.length === 0) return [];
  const over = family === undefined ? '' : ` over IPv${family}`;
  const consequence = `allowfrom and denyfrom of ${containers.join(', ')} are not enforced${over}`;
  return [{ jail: undefined, family, consequence, error }];
}

/** Those that need a set which can't be used. */
export function unclosedSets(
  wanted: ReadonlyMap<string, WantedSet>,
  family: Family,
  unusable: ReadonlyMap<string, FirewallError>,
): Shortfall[] {
  const affected = [...wanted].flatMap(([name, { family: of, containers }]) => {
    const error = of === family ? unusable.get(name) : undefined;
    return error ? [{ containers, error }] : [];
  });
  const [first] = affected;
  const containers = new Set(affected.flatMap((each) => each.containers));
  return first ? unclosed([...containers], family, first.error) : [];
}
