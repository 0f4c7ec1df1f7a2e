/** Up to where logs were read, by the name of the log; what a position is, only its source knows. */
export interface Positions {
  get(source: string): string | undefined;
  set(source: string, position: string): void;
}
