import { canBeEmpty, type Node } from './syntax.ts';

/** The groups that capture something, more than nothing, in every match. Undecided cases count as no. */
export function sureGroups(node: Node): ReadonlySet<number> {
  switch (node.type) {
    case 'sequence':
      return new Set(node.items.flatMap((item) => [...sureGroups(item)]));
    case 'choice': {
      const [first, ...others] = node.options.map(sureGroups);
      return new Set([...(first ?? [])].filter((group) => others.every((groups) => groups.has(group))));
    }
    case 'capture':
      return new Set([...sureGroups(node.body), ...(canBeEmpty(node.body) ? [] : [node.group])]);
    case 'atomic':
      return sureGroups(node.body);
    case 'repeat':
      return node.min > 0 ? sureGroups(node.body) : new Set();
    case 'char':
    case 'any':
    case 'set':
    case 'assertion':
    case 'look':
    case 'backreference':
    case 'conditional':
    case 'never':
      return new Set();
  }
}

/** The group that every match begins with, at the begin of the text. Undefined: there is none, or it isn't known. */
export function leadingGroup(node: Node): number | undefined {
  if (node.type !== 'sequence') return undefined;
  const [begin, group] = node.items;
  const atBegin = begin?.type === 'assertion' && begin.kind === 'start';
  return atBegin && group?.type === 'capture' ? group.group : undefined;
}
