import type { Node } from './syntax.ts';

/** The same expression, in which neither `.` nor a set such as `[^"]` takes a certain character. */
export function sparing(node: Node, code: number): Node {
  const spared = { kind: 'range', from: code, to: code } as const;
  const within = (child: Node): Node => sparing(child, code);
  switch (node.type) {
    case 'any': {
      const newline = node.newline ? [] : [{ kind: 'range', from: 0x0a, to: 0x0a } as const];
      return { type: 'set', items: [...newline, spared], negated: true, fold: 'none' };
    }
    case 'set':
      return node.negated ? { ...node, items: [...node.items, spared] } : node;
    case 'sequence':
      return { ...node, items: node.items.map(within) };
    case 'choice':
      return { ...node, options: node.options.map(within) };
    case 'capture':
    case 'repeat':
    case 'atomic':
    case 'look':
      return { ...node, body: within(node.body) };
    case 'conditional':
      return { ...node, yes: within(node.yes), no: within(node.no) };
    case 'char':
    case 'assertion':
    case 'backreference':
    case 'never':
      return node;
  }
}
