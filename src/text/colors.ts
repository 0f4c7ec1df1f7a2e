/** Whether what is printed may have colours: on a terminal that can show them, unless NO_COLOR says no (https://no-color.org). */
export function wantsColors(
  stream: { readonly isTTY?: boolean },
  { NO_COLOR = '', TERM = '' }: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && NO_COLOR === '' && TERM !== 'dumb';
}
