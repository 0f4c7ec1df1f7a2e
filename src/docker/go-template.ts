/** Characters of a template. Whoever starts a container writes it; the time to read it grows with the square. */
const longest = 1_000;

/**
 * Renders the part of Go's text/template that log tags are made of: text, `{{.Field}}`, string and number literals,
 * comments, trim markers, pipelines, and the functions lower, upper, truncate and pad as Docker defines them
 * (moby daemon/logger/templates). Undefined for everything else: it is better not to know than to guess.
 */
export function renderTemplate(template: string, fields: ReadonlyMap<string, string>): string | undefined {
  if (template.length > longest) return undefined;
  let rendered = '';
  let trimNext = false;
  let position = 0;
  for (const match of template.matchAll(/\{\{(- )?(.*?)( -)?\}\}/gs)) {
    const text = template.slice(position, match.index);
    rendered += trimmed(text, trimNext, match[1] !== undefined);
    const value = evaluate(match[2]!.trim(), fields);
    if (value === undefined) return undefined;
    rendered += value;
    trimNext = match[3] !== undefined;
    position = match.index + match[0].length;
  }
  const rest = template.slice(position);
  return rest.includes('{{') ? undefined : rendered + trimmed(rest, trimNext, false);
}

function trimmed(text: string, start: boolean, end: boolean): string {
  const kept = start ? text.trimStart() : text;
  return end ? kept.trimEnd() : kept;
}

const token =
  /\s*(?:(\|)|(?:(\.[A-Za-z]\w*)|([a-z]\w*)|("(?:[^"\\]|\\["\\])*")|`([^`]*)`|(\d+))(?=\s|\||$))/y;

type Argument = string | number;

function evaluate(action: string, fields: ReadonlyMap<string, string>): string | undefined {
  if (/^\/\*.*\*\/$/s.test(action)) return '';
  let piped: Argument | undefined;
  let name: string | undefined;
  let words: Argument[] = [];
  const finish = (): boolean => {
    if (name === undefined) piped = piped === undefined && words.length === 1 ? words[0] : undefined;
    else piped = call(name, piped === undefined ? words : [...words, piped]);
    name = undefined;
    words = [];
    return piped !== undefined;
  };
  for (token.lastIndex = 0; token.lastIndex < action.length;) {
    const match = token.exec(action);
    if (!match) return undefined;
    const [, pipe, field, word, quoted, raw, digits] = match;
    if (pipe !== undefined) {
      if (!finish()) return undefined;
    } else if (word !== undefined) {
      if (name !== undefined || words.length > 0) return undefined;
      name = word;
    } else {
      const value = field !== undefined ? fields.get(field.slice(1)) : literal(quoted, raw, digits);
      if (value === undefined) return undefined;
      words.push(value);
    }
  }
  return finish() ? String(piped) : undefined;
}

function literal(
  quoted: string | undefined,
  raw: string | undefined,
  digits: string | undefined,
): Argument | undefined {
  if (quoted !== undefined) return quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1');
  return raw ?? Number(digits);
}

function call(name: string, [text, first, second, ...more]: readonly Argument[]): string | undefined {
  if (typeof text !== 'string' || more.length > 0) return undefined;
  if (name === 'lower' && first === undefined) return text.toLowerCase();
  if (name === 'upper' && first === undefined) return text.toUpperCase();
  if (name === 'truncate' && typeof first === 'number' && second === undefined) {
    return Buffer.from(text).subarray(0, first).toString();
  }
  if (name === 'pad' && typeof first === 'number' && typeof second === 'number' && first + second < 1000) {
    return text === '' ? text : ' '.repeat(first) + text + ' '.repeat(second);
  }
  return undefined;
}
