import { fewTimes } from './quick-length.ts';
import { BoundedMatcher, type Slots } from './bounded-matcher.ts';
import type { Alphabet } from './char-set.ts';
import { expandConditionals } from './conditionals.ts';
import { groupsIn } from './loop-captures.ts';
import type { Match, SpannedMatch } from './match.ts';
import { RelaxedSearcher } from './relaxed.ts';
import { Searcher } from './searcher.ts';
import { children, RegexError, type Expression, type Node } from './syntax.ts';

export interface BoundedSearch {
  /** Whether it is V8's linear engine, which V8 then also falls back to when backtracking takes too long. */
  readonly linear: boolean;
  /** `exceeded`: whether there is a match isn't known, the search cost too much. */
  search(text: string): Match | 'exceeded' | undefined;
}

/** A search by our own engine, which knows where groups stand. */
export interface OwnSearch extends BoundedSearch {
  /** What the last search cost, as a part of what one may cost. */
  readonly cost: number;
  /** @param from where a match may begin at the earliest */
  search(text: string, from?: number): SpannedMatch | 'exceeded' | undefined;
}

/** Steps of our own engine for one search: some 15 ms. */
const maxWork = 600_000;

/**
 * A search whose cost has a bound, whatever the text: by V8's linear engine where it is enabled and takes the expression,
 * else by our own.
 */
export function boundedSearch(expression: Expression, alphabet: Alphabet): BoundedSearch {
  if (alphabet === 'ascii' || !hasLargeClass(expression.root)) {
    const linear = ifTaken(() => new Searcher(expression, alphabet, 'l'));
    if (linear) return { linear: true, search: (text) => linear.search(text, 0) };
    const relaxed = ifTaken(() => new RelaxedSearcher(expression, alphabet));
    if (relaxed) return relaxedSearch(relaxed, ownSearch(expression));
  }
  return ownSearch(expression);
}

/** Of Unicode's word characters there are hundreds of ranges, which make V8's linear engine slow. */
function hasLargeClass(node: Node): boolean {
  if (node.type !== 'set') return children(node).some(hasLargeClass);
  return node.items.some((item) => item.kind === 'class' && item.class === 'word' && !item.ascii);
}

/** What an engine makes of an expression; undefined: it doesn't take it. */
function ifTaken<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RegexError) return undefined;
    throw error;
  }
}

function relaxedSearch(relaxed: RelaxedSearcher, own: OwnSearch): BoundedSearch {
  const search = (text: string): Match | 'exceeded' | undefined => {
    const found = relaxed.search(text);
    return found === 'unsure' ? own.search(text) : found;
  };
  return { linear: false, search };
}

/** A search by our own engine. */
export function ownSearch({ root, names }: Expression): OwnSearch {
  try {
    const highest = Math.max(0, ...names.values(), ...groupsIn(root));
    const matcher = new BoundedMatcher(expanded(root), highest, maxWork);
    return {
      linear: false,
      get cost() {
        return matcher.work / maxWork;
      },
      search: (text, from) => {
        const slots = matcher.search(text, from);
        return typeof slots === 'object' ? new SlotMatch(text, slots, names) : slots;
      },
    };
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    return { linear: false, cost: 1, search: () => 'exceeded' };
  }
}

/** Where conditionals can be expanded, failures can be remembered, which bounds the cost better. */
function expanded(root: Node): Node {
  try {
    return expandConditionals(root);
  } catch (error) {
    if (error instanceof RegexError) return root;
    throw error;
  }
}

/** Whether a loop stands in a loop, by which backtracking can take time exponential in the length of the text. */
export function hasNestedLoops(node: Node, inside = false): boolean {
  const loop = node.type === 'repeat' && node.max > fewTimes;
  return (loop && inside) || children(node).some((child) => hasNestedLoops(child, inside || loop));
}

class SlotMatch implements SpannedMatch {
  readonly #text: string;
  readonly #slots: Slots;
  readonly #names: ReadonlyMap<string, number>;

  constructor(text: string, slots: Slots, names: ReadonlyMap<string, number>) {
    this.#text = text;
    this.#slots = slots;
    this.#names = names;
  }

  get start(): number {
    return this.#slots[0]!;
  }

  get end(): number {
    return this.#slots[1]!;
  }

  captureInto(groups: Record<string, unknown>): void {
    for (const [name, group] of this.#names) {
      const span = this.span(group);
      groups[name] = span && this.#text.slice(...span);
    }
  }

  span(group: number): readonly [number, number] | undefined {
    const start = this.#slots[2 * group]!;
    return start < 0 ? undefined : [start, this.#slots[2 * group + 1]!];
  }
}
