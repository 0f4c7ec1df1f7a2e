import { ConfigError } from '../conf/config-error.ts';

/** A token of an arithmetic expression, with its offset in the text. */
export interface Token {
  readonly kind: 'number' | 'name' | 'operator' | 'end';
  readonly text: string;
  readonly at: number;
}

const longest = 1000;
const token =
  /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_][\w.]*)|(\*\*|\/\/|<<|>>|<=|>=|==|!=|[-+*/%()<>,]))/y;

/**
 * Cuts an arithmetic expression in Python's spelling into tokens.
 *
 * @throws ConfigError at the first character that no arithmetic has
 */
export function formulaTokens(text: string): Token[] {
  if (text.length > longest) {
    throw new ConfigError(`expression of ${text.length} characters`, `keep it below ${longest} characters`);
  }
  const tokens: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    token.lastIndex = at;
    const match = token.exec(text);
    if (!match) {
      const stray = at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0);
      throw new ConfigError(
        `unexpected ${JSON.stringify(text[stray])} at position ${stray + 1} of ${JSON.stringify(text)}`,
        'only arithmetic is allowed here: numbers, + - * / // % ** <<, parentheses, comparisons, "x if c else y"',
      );
    }
    const [whole, number, name, operator] = match;
    const kind = number !== undefined ? 'number' : name !== undefined ? 'name' : 'operator';
    const content = number ?? name ?? operator ?? '';
    tokens.push({ kind, text: content, at: at + whole.length - content.length });
    at += whole.length;
  }
  tokens.push({ kind: 'end', text: 'the end', at: text.length });
  return tokens;
}
