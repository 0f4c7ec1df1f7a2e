/** What is open at the end of a line that isn't whole. */
type Unfinished = 'No closing quotation' | 'No escaped character';

/**
 * Splits a line as a POSIX shell would, and Python's `shlex.split`: by white space, with `'…'`, `"…"` and backslash. Nothing is
 * expanded, nothing is a comment.
 *
 * @throws RangeError with Python's message, if a quote isn't closed or nothing follows a backslash
 */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
    const next = line[at + 1];
    // Between double quotes, a backslash stands for itself before all but these.
    const escapes = quote === '' || (quote === '"' && (next === undefined || /["\\]/.test(next)));
    if (char === '\\' && escapes) {
      if (next === undefined) throw unfinished('No escaped character');
      word = (word ?? '') + next;
      at += 1;
    } else if (char === quote) quote = '';
    else if (quote === '' && /['"]/.test(char)) {
      quote = char;
      word ??= '';
    } else if (quote === '' && /[ \t\r\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') throw unfinished('No closing quotation');
  return word === undefined ? words : [...words, word];
}

function unfinished(what: Unfinished): RangeError {
  return new RangeError(what);
}
