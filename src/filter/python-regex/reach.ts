import { children, type Node } from './syntax.ts';

/** How many units beyond its match an expression may look at: 1 for what every anchor and edge of a word does. */
export function reachOf(node: Node): number {
  const below = Math.max(1, ...children(node).map(reachOf));
  return node.type === 'look' ? below + mostUnits(node.body) : below;
}

/** How many units a node may take. */
function mostUnits(node: Node): number {
  switch (node.type) {
    case 'char':
    case 'any':
    case 'set':
      return 2;
    case 'assertion':
    case 'look':
    case 'never':
      return 0;
    case 'sequence':
    case 'capture':
    case 'atomic':
      return children(node).reduce((sum, child) => sum + mostUnits(child), 0);
    case 'choice':
    case 'conditional':
      return Math.max(0, ...children(node).map(mostUnits));
    case 'repeat': {
      const most = mostUnits(node.body);
      return most === 0 ? 0 : node.max * most;
    }
    case 'backreference':
      return Infinity;
  }
}
