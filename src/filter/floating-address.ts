import { idGroups } from './filter-regex.ts';
import { parseExpression } from './python-regex/parser.ts';
import { children, noFlags, type Expression, type Node } from './python-regex/syntax.ts';
import { resolveTags } from './tags.ts';

interface Place {
  /** Text in front of the address is taken, whatever it is. */
  readonly looseBefore: boolean;
  readonly address: boolean;
  /** The same behind it. */
  readonly looseBehind: boolean;
  readonly ends: boolean;
}

const nowhere: Place = { looseBefore: false, address: false, looseBehind: false, ends: false };

/**
 * Whether nothing fixes the place of a failregex's address: any text may stand in front of it, and what stands behind it needn't be the
 * line's end. Then whoever writes a part of the line can bring an address.
 * @throws RegexError
 */
export function hasFloatingAddress(failregex: string): boolean {
  const expression = parseExpression(resolveTags(failregex, true).source, noFlags);
  const { looseBefore, address, looseBehind, ends } = walk(expression.root, nowhere, expression);
  const isFixedByEnd = ends && !looseBehind;
  return address && (looseBefore || !beginsLine(expression.root)) && !isFixedByEnd;
}

function walk(node: Node, before: Place, expression: Expression): Place {
  switch (node.type) {
    case 'choice':
    case 'conditional':
      return children(node)
        .map((option) => walk(option, before, expression))
        .reduce((one, other) => ({
          looseBefore: one.looseBefore || other.looseBefore,
          address: one.address || other.address,
          looseBehind: one.looseBehind || other.looseBehind,
          ends: one.ends && other.ends,
        }));
    case 'repeat': {
      const isLoose = node.max === Infinity && node.body.type === 'any';
      const passed = walk(node.body, before, expression);
      if (!isLoose) return passed;
      return before.address ? { ...passed, looseBehind: true } : { ...passed, looseBefore: true };
    }
    case 'capture': {
      const isAddress = idGroups.some((name) => expression.names.get(name) === node.group);
      return walk(node.body, isAddress ? { ...before, address: true } : before, expression);
    }
    case 'assertion':
      return /^(?:end|end-or-newline|line-end)$/.test(node.kind) ? { ...before, ends: true } : before;
    case 'look':
      return before;
    default:
      return children(node).reduce((place, child) => walk(child, place, expression), before);
  }
}

function beginsLine(node: Node): boolean {
  switch (node.type) {
    case 'assertion':
      return node.kind === 'start' || node.kind === 'line-start';
    case 'sequence':
      return node.items[0] !== undefined && beginsLine(node.items[0]);
    case 'choice':
      return node.options.every(beginsLine);
    case 'capture':
    case 'atomic':
      return beginsLine(node.body);
    default:
      return false;
  }
}
