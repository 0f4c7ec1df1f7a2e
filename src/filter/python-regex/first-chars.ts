import { classSet } from './char-set.ts';
import { canBeEmpty, type Node, type SetItem } from './syntax.ts';

/** Which ASCII characters a text may begin with, by code. */
export type FirstChars = readonly boolean[];

const asciiSize = 128;

/**
 * With which ASCII characters a text must begin for an expression to match it; whatever a text begins with beyond ASCII may
 * match. Undefined: matches may begin elsewhere than at the start of the text, or there is no telling.
 */
export function firstChars(root: Node): FirstChars | undefined {
  if (!startsAtStart(root)) return undefined;
  const first = Array<boolean>(asciiSize).fill(false);
  return addFirst(root, first) ? undefined : first;
}

/** Whether every match begins at the start of the text. */
function startsAtStart(node: Node): boolean {
  switch (node.type) {
    case 'assertion':
      return node.kind === 'start';
    case 'sequence': {
      for (const item of node.items) {
        if (startsAtStart(item)) return true;
        if (item.type !== 'assertion' && item.type !== 'look') return false;
      }
      return false;
    }
    case 'choice':
      return node.options.every(startsAtStart);
    case 'capture':
    case 'atomic':
      return startsAtStart(node.body);
    case 'repeat':
      return node.min > 0 && startsAtStart(node.body);
    case 'char':
    case 'any':
    case 'set':
    case 'look':
    case 'backreference':
    case 'conditional':
    case 'never':
      return false;
  }
}

/**
 * Adds what the node may begin with.
 * @returns whether it may be empty, so that what follows may come first; also where there is no telling
 */
function addFirst(node: Node, first: boolean[]): boolean {
  switch (node.type) {
    case 'char':
      addRange(node.code, node.code, node.fold !== 'none', first);
      return false;
    case 'any':
      first.fill(true);
      return false;
    case 'set':
      addSet(node.items, node.negated, node.fold !== 'none', first);
      return false;
    case 'sequence':
      return node.items.every((item) => addFirst(item, first));
    case 'choice':
      return node.options.map((option) => addFirst(option, first)).includes(true);
    case 'conditional':
      return [node.yes, node.no].map((branch) => addFirst(branch, first)).includes(true);
    case 'capture':
    case 'atomic':
      return addFirst(node.body, first);
    case 'repeat':
      return addFirst(node.body, first) || node.min === 0;
    case 'assertion':
    case 'look':
    case 'never':
    case 'backreference':
      return canBeEmpty(node);
  }
}

function addSet(items: readonly SetItem[], negated: boolean, folds: boolean, first: boolean[]): void {
  const members = Array<boolean>(asciiSize).fill(false);
  for (const item of items) {
    if (item.kind === 'range') {
      addRange(item.from, item.to, folds, members);
      continue;
    }
    const inClass = Array<boolean>(asciiSize).fill(false);
    for (const [from, to] of classSet(item.class, true)) inClass.fill(true, from, to + 1);
    // Python's white space has these among ASCII, too.
    if (item.class === 'space' && !item.ascii) inClass.fill(true, 0x1c, 0x20);
    for (const [code, member] of inClass.entries()) if (member !== item.negated) members[code] = true;
  }
  for (const [code, member] of members.entries()) if (member !== negated) first[code] = true;
}

function addRange(from: number, to: number, folds: boolean, first: boolean[]): void {
  // Some letters beyond ASCII are, but for the case, ASCII ones.
  if (folds && to >= asciiSize) first.fill(true);
  for (let code = from; code <= Math.min(to, asciiSize - 1); code += 1) {
    first[code] = true;
    const other = folds ? otherCase(code) : undefined;
    if (other !== undefined) first[other] = true;
  }
}

function otherCase(code: number): number | undefined {
  const isUpper = code >= 0x41 && code <= 0x5a;
  const isLower = code >= 0x61 && code <= 0x7a;
  if (isUpper) return code + 0x20;
  return isLower ? code - 0x20 : undefined;
}
