import type { Alphabet } from './char-set.ts';
import { groupsIn } from './loop-captures.ts';
import type { Match } from './match.ts';
import { Searcher } from './searcher.ts';
import { children, choice, RegexError, sequence, type Expression, type Node } from './syntax.ts';

/** A loop that goes over no begin of a word, as in `(?:(?! from ).)*`. */
interface WordlessLoop {
  /** Captures the loop's text. */
  readonly group: number;
  readonly word: string;
}

/**
 * Searches with V8's own engine, at a bounded cost, for an expression that V8's linear one doesn't take for its `(?:(?!word).)*`:
 * without the lookaheads at first. What isn't found so isn't there. As ways are tried in the same order, the first that is
 * found is the first of all if its loops went over no such word; only if they did, another search must tell.
 */
export class RelaxedSearcher {
  readonly #searcher: Searcher;
  readonly #loops: readonly { readonly word: string; readonly numbers: readonly number[] }[];

  /** @throws RegexError or SyntaxError for what can't be searched so */
  constructor({ root, names }: Expression, alphabet: Alphabet) {
    const relaxation = new Relaxation(Math.max(0, ...groupsIn(root)));
    const relaxed = { root: relaxation.relaxed(root), names };
    const { loops } = relaxation;
    const groups = loops.map(({ group }) => group);
    // The same without the flag goes over to the linear engine by itself, if the linear engine takes it.
    new Searcher(relaxed, alphabet, 'l', groups).search('', 0);
    const searcher = new Searcher(relaxed, alphabet, '', groups);
    this.#searcher = searcher;
    this.#loops = loops.map(({ group, word }) => ({ word, numbers: searcher.standsOf(group) }));
  }

  /** `unsure`: there may be a match, but another than was found without lookaheads. */
  search(text: string): Match | 'unsure' | undefined {
    const found = this.#searcher.search(text, 0);
    if (!found) return undefined;
    for (const { word, numbers } of this.#loops) {
      for (const number of numbers) {
        const loop = found.text(number);
        // A word may also begin in the loop's text and go on behind it.
        if (
          loop?.includes(word[0]!) &&
          (loop.includes(word) || loop.includes(word[0]!, 1 + loop.length - word.length))
        )
          return 'unsure';
      }
    }
    return found;
  }
}

/** Takes lookaheads out of an expression. */
class Relaxation {
  readonly loops: WordlessLoop[] = [];
  #groups: number;

  /** @param groups the highest number of a group */
  constructor(groups: number) {
    this.#groups = groups;
  }

  /** @throws RegexError where what a lookahead asks for couldn't be checked afterwards */
  relaxed(node: Node): Node {
    switch (node.type) {
      case 'sequence':
        return sequence(node.items.map((item) => this.relaxed(item)));
      case 'choice':
        return choice(node.options.map((option) => this.relaxed(option)));
      case 'capture':
        return { ...node, body: this.relaxed(node.body) };
      case 'conditional':
        return { ...node, yes: this.relaxed(node.yes), no: this.relaxed(node.no) };
      case 'repeat':
        return this.#repeat(node);
      default:
        if (hasLookahead(node)) throw unsupported();
        return node;
    }
  }

  #repeat(node: Extract<Node, { type: 'repeat' }>): Node {
    const { body } = node;
    if (!hasLookahead(body)) return node;
    const [look, unit, ...more] = itemsOf(body);
    const word = look?.type === 'look' && look.ahead && look.negated ? plainText(look.body) : '';
    const isUnit = unit?.type === 'any' || unit?.type === 'set';
    if (word === '' || !isUnit || more.length > 0) throw unsupported();
    this.loops.push({ group: ++this.#groups, word });
    return { type: 'capture', group: this.#groups, body: { ...node, body: unit } };
  }
}

/** The one string that a node matches; empty: it isn't as plain. */
function plainText(node: Node): string {
  const chars = itemsOf(node).map((item) =>
    item.type === 'char' && item.fold === 'none' ? String.fromCodePoint(item.code) : '',
  );
  return chars.includes('') ? '' : chars.join('');
}

function itemsOf(node: Node): readonly Node[] {
  return node.type === 'sequence' ? node.items.flatMap(itemsOf) : [node];
}

function hasLookahead(node: Node): boolean {
  return (node.type === 'look' && node.ahead) || children(node).some(hasLookahead);
}

function unsupported(): RegexError {
  return new RegexError('a lookahead has no linear counterpart', '(?=', 0);
}
