import type { Fold, Node } from './syntax.ts';

/** Strings of which at least one is part of every match. */
export type Clause = readonly string[];

/** More alternatives than this cost more to look for than they save. */
const maxAlternatives = 8;
const maxClauses = 8;
/** So many of the best are compared with each other. */
const maxCompared = 64;

/**
 * What every match of an expression must contain, best first: a text that lacks all strings of any clause can't match.
 * Newlines are left out, because the lines searched may not have got theirs yet.
 */
export function requiredLiterals(root: Node): Clause[] {
  const collector = new Collector();
  collector.visit(root);
  collector.flush();
  const clauses = collector.clauses.filter((clause) => clause.every((text) => text.length > 0));
  const best = clauses.toSorted((a, b) => worth(b) - worth(a)).slice(0, maxCompared);
  const telling = best.filter(
    (clause, i) =>
      !best.some((other, j) => i !== j && implies(other, clause) && (j < i || !implies(clause, other))),
  );
  return telling.slice(0, maxClauses);
}

/** Whether every text that has one of the first clause's strings has one of the second's. */
function implies(clause: Clause, other: Clause): boolean {
  return clause.every((text) => other.some((part) => text.includes(part)));
}

/** Long strings are rare in texts; each alternative is one more search. */
function worth(clause: Clause): number {
  return Math.min(...clause.map((text) => Math.min(text.length, 12))) - 2 * (clause.length - 1);
}

/** Walks what a match must pass through, joining adjacent characters into runs. */
class Collector {
  readonly clauses: Clause[] = [];
  #run = '';

  flush(): void {
    if (this.#run !== '') this.clauses.push([this.#run]);
    this.#run = '';
  }

  visit(node: Node): void {
    switch (node.type) {
      case 'char':
        this.#char(node.code, node.fold);
        break;
      case 'set': {
        const [only, another] = node.items;
        const single = !node.negated && !another && only?.kind === 'range' && only.from === only.to;
        if (single) this.#char(only.from, node.fold);
        else this.flush();
        break;
      }
      case 'sequence':
        for (const item of node.items) this.visit(item);
        break;
      case 'capture':
      case 'atomic':
        this.visit(node.body);
        break;
      case 'repeat':
        this.#repeat(node.body, node.min, node.max);
        break;
      case 'choice':
        this.#choice(node.options);
        break;
      case 'conditional':
        this.#choice([node.yes, node.no]);
        break;
      case 'any':
      case 'backreference':
        this.flush();
        break;
      case 'assertion':
      case 'look':
      case 'never':
        break;
    }
  }

  #char(code: number, fold: Fold): void {
    if (isOneText(code, fold)) this.#run += String.fromCodePoint(code);
    else this.flush();
  }

  #repeat(body: Node, min: number, max: number): void {
    if (min === 1 && max === 1) {
      this.visit(body);
      return;
    }
    this.flush();
    if (min > 0) {
      this.visit(body);
      this.flush();
    }
  }

  /** Each option gives its best clause; together they are one. What stands before an option that is plain text belongs to it. */
  #choice(options: readonly Node[]): void {
    const before = this.#run;
    this.flush();
    const union = new Set<string>();
    for (const option of options) {
      const plain = plainText(option);
      const best = plain === undefined ? requiredLiterals(option)[0] : [before + plain];
      if (!best || best.includes('')) return;
      for (const text of best) union.add(text);
    }
    if (union.size <= maxAlternatives) this.clauses.push([...union]);
  }
}

/** The one text that an expression matches, if it is so plain. */
function plainText(node: Node): string | undefined {
  if (node.type === 'char')
    return isOneText(node.code, node.fold) ? String.fromCodePoint(node.code) : undefined;
  if (node.type !== 'sequence') return undefined;
  const parts = node.items.map(plainText);
  return parts.includes(undefined) ? undefined : parts.join('');
}

/** Whether a character stands for itself alone, and not for a line's end. */
function isOneText(code: number, fold: Fold): boolean {
  return !(fold !== 'none' && mayHaveCase(code)) && code !== 10;
}

/** Whether a character may have another case; beyond ASCII that is left open. */
function mayHaveCase(code: number): boolean {
  return code >= 0x80 || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}
