/** Where a rule sends a packet, and what it asks of it. */
export interface RuleWords {
  /** Target or chain of `-j` and `-g`; undefined: the rule only counts. */
  readonly target: string | undefined;
  /** `-g`: the packet does not come back to the rule below. */
  readonly isGoto: boolean;
  /** What it asks, without comments; none: it takes every packet. */
  readonly conditions: readonly string[];
}

/** Takes a rule apart as `iptables-save` writes it, without `-A CHAIN`. Comments may hold anything. */
export function ruleWords(rule: string): RuleWords {
  const words = wordsOf(rule);
  const conditions: string[] = [];
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i]!;
    if (word === '-j' || word === '-g') {
      // What follows are the target's own options.
      return { target: words[i + 1], isGoto: word === '-g', conditions };
    }
    if (word === '-m' && words[i + 1] === 'comment') i += 1;
    else if (word === '--comment') i += 1;
    else conditions.push(word);
  }
  return { target: undefined, isGoto: false, conditions };
}

/** Words are quoted where they hold spaces; within quotes, a backslash stands before quotes and backslashes (iptables' xtables_save_string). */
function wordsOf(rule: string): string[] {
  return Array.from(rule.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g), ([, quoted, plain]) =>
    quoted === undefined ? plain! : quoted.replaceAll(/\\(.)/g, '$1'),
  );
}
