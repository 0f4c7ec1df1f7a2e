import type { Alphabet } from './char-set.ts';
import { groupsIn } from './loop-captures.ts';
import type { SpannedMatch } from './match.ts';
import { fewTimes, quickLength } from './quick-length.ts';
import { Searcher, type FoundMatch } from './searcher.ts';
import { choice, children, empty, RegexError, sequence, type Expression, type Node } from './syntax.ts';
import { translate } from './translate.ts';

type Lookahead = Extract<Node, { type: 'look' }>;
type Repeat = Extract<Node, { type: 'repeat' }>;

/** What a lookahead asks of a match: at one place, or at each place that a loop went over. */
interface Check {
  /** Captures the loop's text, or nothing where the lookahead stood. */
  readonly group: number;
  readonly look: Lookahead;
  readonly loops: boolean;
}

type Holds = (found: FoundMatch, text: string) => boolean;

/**
 * Searches with V8's own engine for an expression that V8's linear one doesn't take for its lookaheads: without them at first.
 * What isn't found so isn't there. As ways are tried in the same order, the first that is found is the first of all if it has
 * what the lookaheads ask for; only if it hasn't, another search must tell.
 */
export class RelaxedSearcher {
  /** Longer texts would make a lookahead costly. */
  readonly longest: number;
  readonly #searcher: Searcher;
  readonly #checks: readonly Holds[];

  /** @throws RegexError or SyntaxError for what can't be searched so */
  constructor({ root, names }: Expression, alphabet: Alphabet) {
    const relaxation = new Relaxation(Math.max(0, ...groupsIn(root)));
    const relaxed = { root: relaxation.relaxed(root), names };
    const { checks } = relaxation;
    const groups = checks.map(({ group }) => group);
    new Searcher(relaxed, alphabet, 'l', groups).search('', 0);
    this.longest = Math.min(...checks.map(({ look }) => quickLength(look.body)));
    // To know places costs more than to know texts.
    const words = checks.map(wordOf);
    const plain = words.every((word) => word !== undefined);
    const searcher = new Searcher(relaxed, alphabet, plain ? '' : 'd', groups);
    this.#searcher = searcher;
    this.#checks = plain
      ? words.map((word, i) => textCheck(word, searcher.standsOf(groups[i]!)))
      : checks.map((check) => placeCheck(check, alphabet));
  }

  /** `unsure`: if there is a match, it isn't the one that was found without lookaheads, or that can't be told. */
  search(text: string): SpannedMatch | 'unsure' | undefined {
    const found = this.#searcher.search(text, 0);
    return !found || this.#checks.every((holds) => holds(found, text)) ? found : 'unsure';
  }
}

function placeCheck({ group, look: { body, negated } }: Check, alphabet: Alphabet): Holds {
  const regex = new RegExp(translate(body, alphabet, []).source, 'g');
  return (found, text) => {
    const span = found.span(group);
    if (!span) return true;
    const [start, end] = span;
    regex.lastIndex = start;
    const at = regex.exec(text)?.index;
    return negated ? at === undefined || at >= Math.max(end, start + 1) : at === start;
  };
}

/** The word that a loop goes over no begin of, as in `(?:(?! from ).)*`. Undefined: it isn't as plain. */
function wordOf({ look: { body, negated }, loops }: Check): string | undefined {
  const chars = body.type === 'sequence' ? body.items : [body];
  const plain = chars.every((node) => node.type === 'char' && node.fold === 'none');
  if (!plain || !loops || !negated || chars.length === 0) return undefined;
  return chars.map((node) => (node.type === 'char' ? String.fromCodePoint(node.code) : '')).join('');
}

/** @param numbers of the JavaScript groups that a loop's text may be in */
function textCheck(word: string, numbers: readonly number[]): Holds {
  return (found) => {
    for (const number of numbers) {
      const text = found.text(number);
      // The word might go on behind the loop's text.
      const begins = text?.includes(word[0]!);
      if (begins && (text!.includes(word) || text!.includes(word[0]!, text!.length - word.length + 1)))
        return false;
    }
    return true;
  };
}

/** Takes lookaheads out of an expression. */
class Relaxation {
  readonly checks: Check[] = [];
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
        return hasLookahead(node.body) ? this.#repeat(node) : node;
      case 'look':
        return node.ahead ? this.#checked(node, empty) : node;
      case 'atomic':
        // What it gives up depends on the lookaheads within, and V8's linear engine doesn't take it.
        throw new RegexError('an atomic group', '(?>', 0);
      default:
        return node;
    }
  }

  #checked(look: Lookahead, body: Node): Node {
    if (hasCapture(look.body)) throw new RegexError('a group inside of a lookahead', '(?=', 0);
    this.checks.push({ group: ++this.#groups, look, loops: body !== empty });
    return { type: 'capture', group: this.#groups, body };
  }

  /** Of a body with lookaheads. Each time that it is tried, they have to be checked. */
  #repeat(node: Repeat): Node {
    const { body, min, max, mode } = node;
    const items = body.type === 'sequence' ? body.items : [body];
    const [look, step] = items.length === 1 && items[0]!.type === 'sequence' ? items[0]!.items : items;
    const steps = look?.type === 'look' && look.ahead && look.negated && isOneUnit(step);
    if (steps && mode !== 'possessive') return this.#checked(look, { ...node, body: step! });
    if (max > fewTimes || mode === 'possessive' || hasCapture(body))
      throw new RegexError('a lookahead inside of a repetition', '(?=', 0);
    // One time inside of the other, so that each has its own groups: a(?:a(?:a)?)?
    let rest: Node = empty;
    for (let time = max; time >= 1; time -= 1) {
      const some = sequence([this.relaxed(body), rest]);
      const options = mode === 'lazy' ? [empty, some] : [some, empty];
      rest = time > min ? { type: 'choice', options } : some;
    }
    return rest;
  }
}

/** Whether it takes a UTF-16 unit, so that a loop of it goes over places one by one. */
function isOneUnit(node: Node | undefined): boolean {
  return node?.type === 'any' || node?.type === 'set' || (node?.type === 'char' && node.code <= 0xffff);
}

function hasLookahead(node: Node): boolean {
  return (node.type === 'look' && node.ahead) || children(node).some(hasLookahead);
}

function hasCapture(node: Node): boolean {
  return node.type === 'capture' || children(node).some(hasCapture);
}
