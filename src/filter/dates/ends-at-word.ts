/**
 * Whether behind the dates of a pattern never stands a word character, so that cutting one out joins no word with another.
 * @param pattern in fail2ban's form
 * @param boundEnd whether the date must end at a word's bound
 */
export function endsAtWord(pattern: string, boundEnd: boolean): boolean {
  const group = firstGroup(pattern);
  if (!group)
    return (boundEnd && endsInCode(pattern)) || (!pattern.includes('|') && nonWordAhead.test(pattern));
  const { inside, behind } = group;
  if (behind === '') return boundEnd && endsInCode(inside);
  return !behind.includes('|') && sureNonWord.test(behind);
}

/** A character that is no word character, and not optional. */
const sureNonWord = /^(?:\\[^\w\s]|["',:;<>=])(?![?*{])/;
/** A pattern that asks for such a character behind the date. */
const nonWordAhead = /\(\?=(?:\\s|[: ])[^()?*{]*\)$/;

/** Whether a pattern ends in something that only ever is a word character, as strptime's codes do. */
function endsInCode(pattern: string): boolean {
  const optional = /^(.*)\(\?:([^()]*)\)\?$/s.exec(pattern);
  if (optional) return endsInCode(optional[1]!) && endsInCode(optional[2]!);
  return /(?:%(?:Ex)?[A-Za-z]|epoch\}?|tai64n|\\d(?:\{[1-9]\d*(?:,\d*)?\}|\+)?)$/i.test(pattern);
}

/** What the first plain group of an expression has in it, and what stands behind it. */
function firstGroup(pattern: string): { inside: string; behind: string } | undefined {
  let depth = 0;
  let begin: number | undefined;
  let depthOfBegin = 0;
  for (const { 0: token, index } of pattern.matchAll(tokens)) {
    if (token === '(') {
      depth += 1;
      if (begin === undefined && pattern[index + 1] !== '?') [begin, depthOfBegin] = [index, depth];
    } else if (token === ')') {
      if (begin !== undefined && depth === depthOfBegin)
        return { inside: pattern.slice(begin + 1, index), behind: pattern.slice(index + 1) };
      depth -= 1;
    }
  }
  return undefined;
}

/** Escapes, sets and parentheses. */
const tokens = /\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()]/gs;
