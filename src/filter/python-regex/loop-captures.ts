import { surelySet } from './conditionals.ts';
import { children, type Node } from './syntax.ts';

/**
 * The groups that a loop's last round may leave out: Python keeps what an earlier round captured, JavaScript forgets it.
 */
export function forgottenGroups(node: Node): ReadonlySet<number> {
  const found = new Set<number>();
  collect(node, found);
  return found;
}

function collect(node: Node, found: Set<number>): void {
  if (node.type === 'repeat' && node.max > 1) {
    const sure = surelySet(node.body);
    for (const group of groupsIn(node.body)) if (!sure.has(group)) found.add(group);
  }
  for (const child of children(node)) collect(child, found);
}

/** The numbers of all groups of a node. */
export function groupsIn(node: Node): number[] {
  const below = children(node).flatMap(groupsIn);
  return node.type === 'capture' ? [node.group, ...below] : below;
}
