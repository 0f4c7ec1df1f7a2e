/** One member of a `[…]` set, or a class escape outside of one. Codes are code points; both ends are included. */
export type SetItem =
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | {
      readonly kind: 'class';
      readonly class: 'digit' | 'space' | 'word';
      readonly negated: boolean;
      readonly ascii: boolean;
    };

export type AssertionKind =
  'start' | 'end' | 'end-or-newline' | 'line-start' | 'line-end' | 'word-boundary' | 'no-word-boundary';

export type RepeatMode = 'greedy' | 'lazy' | 'possessive';

/** Whether upper and lower case are the same: no, among ASCII letters, or among all. */
export type Fold = 'none' | 'ascii' | 'unicode';

/** The syntax tree of a Python regular expression, flags already applied to the nodes that they concern. */
export type Node =
  | { readonly type: 'char'; readonly code: number; readonly fold: Fold }
  | { readonly type: 'any'; readonly newline: boolean }
  | {
      readonly type: 'set';
      readonly items: readonly SetItem[];
      readonly negated: boolean;
      readonly fold: Fold;
    }
  | { readonly type: 'assertion'; readonly kind: AssertionKind; readonly ascii: boolean }
  | { readonly type: 'sequence'; readonly items: readonly Node[] }
  | { readonly type: 'choice'; readonly options: readonly Node[] }
  | { readonly type: 'capture'; readonly group: number; readonly body: Node }
  | {
      readonly type: 'repeat';
      readonly body: Node;
      readonly min: number;
      /** Infinity where there is no limit. */
      readonly max: number;
      readonly mode: RepeatMode;
    }
  | { readonly type: 'atomic'; readonly body: Node }
  | { readonly type: 'look'; readonly ahead: boolean; readonly negated: boolean; readonly body: Node }
  | { readonly type: 'backreference'; readonly group: number; readonly fold: Fold; readonly position: number }
  | {
      readonly type: 'conditional';
      readonly group: number;
      readonly yes: Node;
      readonly no: Node;
      readonly position: number;
    }
  /** Matches nowhere. */
  | { readonly type: 'never' };

/** A parsed expression. */
export interface Expression {
  readonly root: Node;
  /** Numbers of the named groups. */
  readonly names: ReadonlyMap<string, number>;
}

export const empty: Node = { type: 'sequence', items: [] };
export const never: Node = { type: 'never' };

export function sequence(items: readonly Node[]): Node {
  return items.length === 1 ? items[0]! : { type: 'sequence', items };
}

export function choice(options: readonly Node[]): Node {
  return options.length === 1 ? options[0]! : { type: 'choice', options };
}

/** The nodes directly below a node. */
export function children(node: Node): readonly Node[] {
  switch (node.type) {
    case 'sequence':
      return node.items;
    case 'choice':
      return node.options;
    case 'capture':
    case 'repeat':
    case 'atomic':
    case 'look':
      return [node.body];
    case 'conditional':
      return [node.yes, node.no];
    case 'char':
    case 'any':
    case 'set':
    case 'assertion':
    case 'backreference':
    case 'never':
      return [];
  }
}

/** Whether a node may match without a character. Undecided cases count as yes. */
export function canBeEmpty(node: Node): boolean {
  switch (node.type) {
    case 'char':
    case 'any':
    case 'set':
    case 'never':
      return false;
    case 'sequence':
      return node.items.every(canBeEmpty);
    case 'choice':
      return node.options.some(canBeEmpty);
    case 'repeat':
      return node.min === 0 || canBeEmpty(node.body);
    case 'capture':
    case 'atomic':
      return canBeEmpty(node.body);
    case 'assertion':
    case 'look':
    case 'backreference':
    case 'conditional':
      return true;
  }
}

/** An expression that Python would refuse, or that has no counterpart here. */
export class RegexError extends Error {
  /** The construct as written. */
  readonly construct: string;
  /** Zero-based offset of the construct in the expression. */
  readonly position: number;

  constructor(message: string, construct: string, position: number) {
    super(message);
    this.name = 'RegexError';
    this.construct = construct;
    this.position = position;
  }
}

/** The flags that change what an expression means, by Python's letters. */
export interface Flags {
  readonly ascii: boolean;
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly verbose: boolean;
}

export const noFlags: Flags = {
  ascii: false,
  ignoreCase: false,
  multiline: false,
  dotAll: false,
  verbose: false,
};

/** How a literal of these flags matches other cases. */
export function foldOf({ ignoreCase, ascii }: Flags): Fold {
  return ignoreCase ? (ascii ? 'ascii' : 'unicode') : 'none';
}
