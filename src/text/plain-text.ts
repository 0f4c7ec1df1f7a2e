/** What a terminal acts on, or shows nothing of: control and format characters (text direction, zero width, BOM, tags), line separators, lone surrogates. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const unseenButLayout = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * A text whose every character can be seen: labels, names and log lines bring in what others wrote, and must not steer a terminal. Tabs and
 * line feeds stay. What is escaped (`\u001b`) is read by JSON as it was: JSON stays JSON of the same value.
 */
export function plainText(text: string): string {
  return text.replaceAll(unseenButLayout, escaped);
}

/** As `plainText`, but tabs and line feeds are escaped, too: a message can't forge a second line. */
export function oneLine(text: string): string {
  return text.replaceAll(unseen, escaped);
}

function escaped(character: string): string {
  // Of what is beyond 16 bits, both halves.
  return character.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
