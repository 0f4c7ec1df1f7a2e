import type { Alphabet } from './char-set.ts';
import { groupsIn } from './loop-captures.ts';
import type { Match } from './match.ts';
import { Searcher } from './searcher.ts';
import { children, choice, RegexError, sequence, type Expression, type Node } from './syntax.ts';

/** A text that must not have certain words in it. */
interface Wordless {
  /** Captures the text. */
  readonly group: number;
  readonly words: readonly string[];
  /** Where no word may begin: anywhere in the text, as in `(?:(?! from ).)*`, or where the text does, as in `(?!error|info)[a-z]+`. */
  readonly where: 'anywhere' | 'begin';
}

/**
 * Searches with V8's own engine, at a bounded cost, for an expression that V8's linear one doesn't take for its `(?!word)`: without
 * the lookaheads at first. What isn't found so isn't there. As ways are tried in the same order, the first that is
 * found is the first of all if it has no such word there; only if it has, another search must tell.
 */
export class RelaxedSearcher {
  readonly #searcher: Searcher;
  readonly #texts: readonly (Wordless & { readonly numbers: readonly number[] })[];
  /** None of them may begin where a match ends. */
  readonly #wordsBehind: readonly string[];

  /** @throws RegexError or SyntaxError for what can't be searched so */
  constructor({ root, names }: Expression, alphabet: Alphabet) {
    const relaxation = new Relaxation(Math.max(0, ...groupsIn(root)));
    const items = root.type === 'sequence' ? root.items : [];
    const last = items.at(-1);
    this.#wordsBehind = last ? refusedWords(last) : [];
    const rest = this.#wordsBehind.length > 0 ? sequence(items.slice(0, -1)) : root;
    const relaxed = { root: relaxation.relaxed(rest), names };
    const { texts } = relaxation;
    const groups = texts.map(({ group }) => group);
    // The same without the flag goes over to the linear engine by itself, if the linear engine takes it.
    new Searcher(relaxed, alphabet, 'l', groups).search('', 0);
    const searcher = new Searcher(relaxed, alphabet, '', groups);
    this.#searcher = searcher;
    this.#texts = texts.map((text) => ({ ...text, numbers: searcher.standsOf(text.group) }));
  }

  /** `unsure`: there may be a match, but another than was found without lookaheads. */
  search(text: string): Match | 'unsure' | undefined {
    const found = this.#searcher.search(text, 0);
    if (!found) return undefined;
    if (this.#wordsBehind.some((word) => text.startsWith(word, found.end))) return 'unsure';
    for (const { words, where, numbers } of this.#texts) {
      for (const number of numbers) {
        const captured = found.text(number);
        if (captured !== undefined && words.some((word) => mayHave(captured, word, where))) return 'unsure';
      }
    }
    return found;
  }
}

/** Whether a word begins in a text, be it that it goes on behind it. */
function mayHave(text: string, word: string, where: Wordless['where']): boolean {
  if (where === 'begin') return text.startsWith(word) || word.startsWith(text);
  if (!text.includes(word[0]!)) return false;
  return text.includes(word) || text.includes(word[0]!, 1 + text.length - word.length);
}

/** Takes lookaheads out of an expression. */
class Relaxation {
  readonly texts: Wordless[] = [];
  #groups: number;

  /** @param groups the highest number of a group */
  constructor(groups: number) {
    this.#groups = groups;
  }

  /** @throws RegexError where what a lookahead asks for couldn't be checked afterwards */
  relaxed(node: Node): Node {
    switch (node.type) {
      case 'sequence':
        return this.#sequence(node.items);
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

  /** Captures what stands behind a lookahead. */
  #sequence(items: readonly Node[]): Node {
    const relaxed: Node[] = [];
    let words: readonly string[] = [];
    for (const item of items) {
      const refused = refusedWords(item);
      if (refused.length > 0 && words.length === 0) words = refused;
      else if (words.length > 0) {
        relaxed.push(this.#captured(this.relaxed(item), words, 'begin'));
        words = [];
      } else relaxed.push(this.relaxed(item));
    }
    if (words.length > 0) throw unsupported();
    return sequence(relaxed);
  }

  #repeat(node: Extract<Node, { type: 'repeat' }>): Node {
    const { body } = node;
    if (!hasLookahead(body)) return node;
    // Of more than one round, the last alone is captured.
    if (node.max === 1) return { ...node, body: this.relaxed(body) };
    const [look, unit, ...more] = itemsOf(body);
    const words = look ? refusedWords(look) : [];
    const isUnit = unit?.type === 'any' || unit?.type === 'set';
    if (words.length === 0 || !isUnit || more.length > 0) throw unsupported();
    return this.#captured({ ...node, body: unit }, words, 'anywhere');
  }

  #captured(body: Node, words: readonly string[], where: Wordless['where']): Node {
    this.texts.push({ group: ++this.#groups, words, where });
    return { type: 'capture', group: this.#groups, body };
  }
}

/** The words that a node lets nothing begin with; none: it is no such lookahead, or not as plain. */
function refusedWords(node: Node): readonly string[] {
  if (node.type !== 'look' || !node.ahead || !node.negated) return [];
  const words = node.body.type === 'choice' ? node.body.options.map(plainText) : [plainText(node.body)];
  return words.includes('') ? [] : words;
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
