/** One event: how bad it is, its fields, which begin with its name, and what it says to people. */
export interface Entry {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: { readonly event: string };
  readonly msg: string;
}

const at =
  (level: Entry['level']) =>
  (event: string, fields: object, msg: string): Entry => ({ level, fields: { event, ...fields }, msg });

export const info = at('info');
export const warn = at('warn');
export const error = at('error');

/** ` (what to do)` */
export function hint(fix: string | undefined): string {
  return fix === undefined ? '' : ` (${fix})`;
}
