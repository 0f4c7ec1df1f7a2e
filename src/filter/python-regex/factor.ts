import { choice, sequence, type Node } from './syntax.ts';

/**
 * Alternatives with what neighbours begin with taken out: `abc|abd|x` becomes `ab(?:c|d)|x`, which means the same. Of long
 * lists of words, V8's linear engine would otherwise follow each word at each place.
 */
export function factored(options: readonly Node[]): readonly Node[] {
  const result: Node[] = [];
  let at = 0;
  while (at < options.length) {
    const first = firstChar(options[at]!);
    const other = options.findIndex((option, i) => i > at && !sameChar(firstChar(option), first));
    const group = options.slice(at, other < 0 ? options.length : other);
    if (first === undefined || group.length === 1) result.push(...group);
    else result.push(sequence([first, choice(factored(group.map(withoutFirst)))]));
    at += group.length;
  }
  return result;
}

type Char = Extract<Node, { type: 'char' }>;

function firstChar(node: Node): Char | undefined {
  const first = node.type === 'sequence' ? node.items[0] : node;
  return first?.type === 'char' ? first : undefined;
}

function sameChar(a: Char | undefined, b: Char | undefined): boolean {
  return a?.code === b?.code && a?.fold === b?.fold;
}

function withoutFirst(node: Node): Node {
  return sequence(node.type === 'sequence' ? node.items.slice(1) : []);
}
