/** What the page tells its reader to do to compose.example.yml, done to its text. Each throws if the file doesn't have what it speaks of. */

/** "take out the service `nginx-proxy`" */
export function withoutService(text: string, name: string): string {
  return replaced(text, new RegExp(String.raw`^ {2}${name}:\n(?: {4}.*\n|\n)*`, 'm'), '');
}

/** "the `#` before the mount": of the line that the page shows as it is to be. */
export function uncommented(text: string, line: string): string {
  const at = line.search(/\S/);
  return replaced(text, `${line.slice(0, at)}# ${line.slice(at)}`, line);
}

/** Puts lines below the one that is there. */
export function below(text: string, line: string, lines: string): string {
  return replaced(text, `${line}\n`, `${line}\n${lines}`);
}

/** Takes lines out again. */
export function without(text: string, lines: string): string {
  return replaced(text, lines, '');
}

function replaced(text: string, from: string | RegExp, to: string): string {
  const result = text.replace(from, () => to);
  if (result === text) throw new Error(`compose.example.yml has no ${String(from)}`);
  return result;
}
