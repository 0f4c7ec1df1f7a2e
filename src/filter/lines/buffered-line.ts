/** A line as its filter remembers it. */
export interface BufferedLine {
  /** What failregex sees: the line without its date, with a newline at its end. */
  readonly visible: string;
  /** The line as it was logged, without a newline. */
  readonly logged: string;
}
