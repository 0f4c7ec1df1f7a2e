import { hasFloatingAddress } from '../../filter/floating-address.ts';
import { RegexError } from '../../filter/python-regex/syntax.ts';
import type { ConfigProblem } from '../jail-spec.ts';
import type { ContainerSnapshot } from '../../docker/snapshot.ts';
import { labelPlace } from '../labels/label.ts';
import type { JailFilter } from './jail-filter.ts';

/**
 * Says that an expression of somebody's own lets whoever writes a part of the line bring an address. The jail runs all the same.
 * @param containers of the jail
 */
export function floatingProblem(
  jail: string,
  { spec, reader, file }: JailFilter,
  containers: readonly ContainerSnapshot[],
): ConfigProblem | undefined {
  const { failregex, prefregex, maxlines, builtIn = false } = spec;
  if (builtIn || prefregex !== undefined || maxlines > 1 || !failregex.some(floats)) return undefined;
  const label = reader.label('failregex');
  const definer = label && containers.find(({ labels }) => labels[label.name] === label.value);
  const isOwn = label !== undefined || reader.text('failregex') !== undefined;
  const ofFile = isOwn ? reader.placeOf('failregex') : (file ?? reader.placeOf('filter'));
  return {
    severity: 'doubt',
    where: label && definer ? labelPlace(definer, label) : ofFile,
    message: `failregex of jail ${jail} takes any text in front of the address: a client may bring somebody else's`,
    fix: 'begin it with ^ and spell the line out up to the address, or behind it up to $',
    jail,
    ...(label && definer && { container: definer.name }),
  };
}

function floats(failregex: string): boolean {
  try {
    return hasFloatingAddress(failregex);
  } catch (error) {
    if (error instanceof RegexError) return false;
    throw error;
  }
}
