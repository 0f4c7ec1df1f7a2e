/** How a request ended: the HTTP status, or how it failed. */
export type Outcome = number | 'timeout' | 'refused' | 'reset' | 'closed' | 'unreachable';

/** One request of a series. Times are epoch milliseconds with fractions, from the client's clock. */
export interface RequestRecord {
  readonly sentAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
}

export interface RequestOptions {
  /** The Host header; default: the URL's host. */
  readonly host?: string;
  /** The user of HTTP basic authentication. */
  readonly user?: string;
  /** Milliseconds until the request counts as dropped; default 1000. */
  readonly timeoutMs?: number;
}

/** A bounded series of requests. */
export interface SeriesOptions extends RequestOptions {
  /** At most this many requests. */
  readonly count: number;
  /** Milliseconds between the starts of two requests; fractions give rates above 1,000 a second. */
  readonly intervalMs: number;
  /** Stop sending after this many milliseconds; default 60,000. */
  readonly durationMs?: number;
  /**
   * This many kept-open connections share the requests, each with one request at a time (a connection that fails is opened
   * anew); undefined: a new connection for every request.
   */
  readonly connections?: number;
  /** Stop sending once this many requests have got no HTTP status. */
  readonly stopAfterFailures?: number;
}

/** What the lab asks a client's process to do. */
export type ClientCommand =
  | { readonly op: 'get'; readonly url: string; readonly options: RequestOptions }
  | { readonly op: 'series'; readonly url: string; readonly options: SeriesOptions }
  | { readonly op: 'open'; readonly url: string; readonly options: RequestOptions }
  | {
      readonly op: 'send';
      readonly connection: number;
      readonly path: string;
      readonly options: RequestOptions;
    }
  | { readonly op: 'close'; readonly connection: number };

/** What each command answers. */
export interface ClientAnswers {
  readonly get: Outcome;
  readonly series: readonly RequestRecord[];
  /** The connection's number, or why there is none. */
  readonly open: { readonly connection: number } | { readonly failed: Outcome };
  readonly send: Outcome;
  readonly close: null;
}

export interface ClientRequestLine {
  readonly id: number;
  readonly command: ClientCommand;
}

/** `id` comes first in the line. The client says that it is ready with an answer to 0. */
export type ClientAnswerLine<Answer = unknown> = { readonly id: number } & (
  { readonly answer: Answer } | { readonly error: string }
);
