/** A line as its filter remembers it. */
export interface BufferedLine {
  /** What failregex sees: the line without its date. */
  readonly visible: string;
  /** The line as it was logged. */
  readonly logged: string;
}
