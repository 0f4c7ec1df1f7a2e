import { children, choice, empty, never, RegexError, sequence, type Node } from './syntax.ts';

/** For groups decided so far: whether they have matched. */
type Known = ReadonlyMap<number, boolean>;

/**
 * Rewrites `(?(group)yes|no)` and references to groups that may not have matched, both unknown to JavaScript, into plain
 * alternatives: `(a)?b(?(1)c|d)` becomes `(a)bc|bd`. The order in which Python would try them is kept, except that a
 * capture is decided before what stands in front of it inside the same outer capture.
 * @throws RegexError where the group's fate can't be known, because it is inside of a repetition or lookaround
 */
export function expandConditionals(root: Node): Node {
  return references(root).size === 0 ? root : resolve(root, new Map(), { left: maxWork });
}

/** Nodes that may come of it: each conditional can double them. */
const maxWork = 20_000;

function resolve(node: Node, known: Known, work: { left: number }): Node {
  work.left -= 1;
  switch (node.type) {
    case 'sequence':
      return resolveSequence(node.items, known, work);
    case 'choice':
      return choice(node.options.map((option) => resolve(option, known, work)));
    case 'capture':
    case 'repeat':
    case 'atomic':
    case 'look':
      return { ...node, body: resolve(node.body, known, work) };
    case 'conditional':
      return resolve(known.get(node.group) ? node.yes : node.no, known, work);
    case 'backreference':
      return known.get(node.group) ? node : never;
    case 'char':
    case 'any':
    case 'set':
    case 'assertion':
    case 'never':
      return node;
  }
}

function resolveSequence(nested: readonly Node[], known: Known, work: { left: number }): Node {
  work.left -= nested.length;
  if (work.left < 0) throw new RegexError('the expression is too large', '(?(…)…)', 0);
  const items = nested.flatMap((item) => (item.type === 'sequence' ? item.items : [item]));
  if (items.some((item) => item.type === 'sequence')) return resolveSequence(items, known, work);
  const resolved: Node[] = [];
  const decided = new Map(known);
  for (const [index, item] of items.entries()) {
    const rest = items.slice(index + 1);
    const sure = surelySet(item);
    const needed = references(sequence(rest));
    const open = [...captures(item)].find((group) => needed.has(group) && !sure.has(group));
    if (open !== undefined) {
      const parts = split(item, open, [...needed.values()][0]!);
      resolved.push(choice(parts.map((part) => resolveSequence([part.node, ...rest], decided, work))));
      return sequence(resolved);
    }
    resolved.push(resolve(item, decided, work));
    for (const group of sure) decided.set(group, true);
  }
  return sequence(resolved);
}

/** A node as ordered alternatives in each of which the group has surely matched, or surely has not. */
function split(node: Node, group: number, user: Reference): { node: Node; set: boolean }[] {
  if (!captures(node).has(group)) return [{ node, set: false }];
  if (surelySet(node).has(group)) return [{ node, set: true }];
  switch (node.type) {
    case 'sequence': {
      const at = node.items.findIndex((item) => captures(item).has(group));
      return split(node.items[at]!, group, user).map((part) => ({
        node: sequence(node.items.with(at, part.node)),
        set: part.set,
      }));
    }
    case 'choice':
      return node.options.flatMap((option) => split(option, group, user));
    case 'capture':
      return split(node.body, group, user).map((part) => ({
        node: { ...node, body: part.node },
        set: part.set,
      }));
    case 'repeat': {
      const once = node.max === 1 && node.mode !== 'possessive';
      const always = node.mode !== 'possessive' && surelySet(node.body).has(group);
      if (!once && !always) break;
      const some = once
        ? split(node.body, group, user)
        : [{ node: { ...node, min: Math.max(1, node.min) }, set: true }];
      const none = { node: empty, set: false };
      return node.mode === 'lazy' ? [none, ...some] : [...some, none];
    }
    default:
      break;
  }
  throw new RegexError(
    `whether group ${group} matched can't be followed through a repetition or lookaround`,
    user.type === 'conditional' ? '(?(…)…|…)' : '(?P=…)',
    user.position,
  );
}

type Reference = Extract<Node, { type: 'conditional' | 'backreference' }>;

/** The groups that a node asks about, with one place that does. */
function references(node: Node, found = new Map<number, Reference>()): Map<number, Reference> {
  if (node.type === 'conditional' || node.type === 'backreference') found.set(node.group, node);
  for (const child of children(node)) references(child, found);
  return found;
}

function captures(node: Node, found = new Set<number>()): Set<number> {
  if (node.type === 'capture') found.add(node.group);
  for (const child of children(node)) captures(child, found);
  return found;
}

/** The groups that have matched whenever the node has. */
export function surelySet(node: Node): Set<number> {
  switch (node.type) {
    case 'sequence':
      return new Set(node.items.flatMap((item) => [...surelySet(item)]));
    case 'choice':
      return node.options.map(surelySet).reduce(intersection);
    case 'capture':
      return surelySet(node.body).add(node.group);
    case 'repeat':
      return node.min > 0 ? surelySet(node.body) : new Set();
    case 'atomic':
      return surelySet(node.body);
    case 'look':
      return node.negated ? new Set() : surelySet(node.body);
    case 'conditional':
      return intersection(surelySet(node.yes), surelySet(node.no));
    case 'char':
    case 'any':
    case 'set':
    case 'assertion':
    case 'backreference':
    case 'never':
      return new Set();
  }
}

function intersection(a: ReadonlySet<number>, b: ReadonlySet<number>): Set<number> {
  return new Set([...a].filter((group) => b.has(group)));
}
