import { ConfigError, invalid } from './config-error.ts';

/** Words at white space, where quotes and backslashes keep it together, as a POSIX shell splits them; nothing is expanded. @throws ConfigError */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  const part = /\s+|'([^']*)'|"((?:\\[^]|[^"\\])*)"|\\([^])|([^\s'"\\]+)/y;
  let word: string | undefined;
  while (part.lastIndex < text.length) {
    const at = part.lastIndex;
    const match = part.exec(text);
    if (!match) throw new ConfigError(`quote without its end at position ${at + 1}`, 'close the quote');
    const [, single, double, escaped, plain] = match;
    const piece = single ?? double?.replaceAll(/\\(["\\])/g, '$1') ?? escaped ?? plain;
    if (piece !== undefined) word = (word ?? '') + piece;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** `journalmatch`: lines of `FIELD=value` joined by `+`; every line and every `+` begins another group. @throws ConfigError */
export function parseJournalMatch(text: string): string[][] {
  const groups: string[][] = [];
  for (const line of text.split('\n')) {
    let group: string[] = [];
    for (const word of [...splitWords(line), '+']) {
      if (word !== '+') {
        if (!/^[A-Z0-9_]+=/.test(word))
          throw invalid('journal match', word, 'write FIELD=value, such as _SYSTEMD_UNIT=sshd.service');
        group.push(word);
      } else if (group.length > 0) {
        groups.push(group);
        group = [];
      }
    }
  }
  return groups;
}
