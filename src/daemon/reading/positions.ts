/** Stored positions by log; only the source of a log can read its position. */
export interface Positions {
  get(source: string): string | undefined;
  set(source: string, position: string): void;
}
