import { children, type Node } from './syntax.ts';

/** How many steps an expression has with its counts written out, as an engine goes through them that follows all ways at once. */
export function sizeOf(node: Node): number {
  const below = children(node).reduce((sum, child) => sum + sizeOf(child), 0);
  switch (node.type) {
    case 'sequence':
    case 'capture':
    case 'atomic':
      return below;
    case 'choice':
      return below + node.options.length;
    case 'repeat':
      return (below + 1) * Math.max(1, node.max === Infinity ? node.min : node.max);
    default:
      return below + 1;
  }
}
