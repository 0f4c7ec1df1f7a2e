import type { BufferedLine } from './lines/buffered-line.ts';
import type { Captures } from './filter-regex.ts';
import { SessionMarks } from './search/session-marks.ts';

/** What is known of a failure while its lines come in. Sessions hold on to it and change it. */
export interface Draft {
  readonly fields: Captures;
  /** Lines that count as failures. */
  matches: readonly BufferedLine[] | undefined;
  /** Lines that matched without counting, until they do. */
  uncounted: readonly BufferedLine[];
  /** All users that the session tried. */
  users: Set<string> | undefined;
  /** A failure was seen whose id isn't known yet. */
  pending: boolean;
}

const none: readonly BufferedLine[] = [];

export function newDraft(fields: Captures): Draft {
  return { fields, matches: undefined, uncounted: none, users: undefined, pending: false };
}

const maxSessions = 100;
const maxAge = 5 * 60_000;

/**
 * Groups the lines of one connection by `<F-MLFID>`: 100 sessions at most, the oldest go first, each for 5 minutes.
 * How a line changes its session is fail2ban's (1.0, server/filter.py, `_mergeFailure`).
 */
export class Sessions {
  readonly #sessions = new Map<string, { draft: Draft; expires: number }>();
  readonly #marks = new SessionMarks();

  /**
   * Merges the failure of one line into its session.
   * @param id the session's
   * @param lines that the expression matched
   * @returns the session's failure; its `nofail` field is set if it doesn't count (yet)
   */
  merge(id: string, failure: Draft, lines: readonly BufferedLine[], now: number): Draft {
    const session = this.#get(id, now);
    const { fields } = failure;
    const gained = isSet(fields['mlfgained']);
    if (gained && !isSet(fields['nofail'])) fields['nofail'] = fields['mlfgained'];
    let uncounted = gained || isSet(fields['nofail']);
    const forget = isSet(fields['mlfforget']);
    fields['mlfforget'] = undefined;

    let merged = failure;
    if (session) {
      addUser(session, fields['user']);
      update(session, fields, gained);
      merged = session;
      if (forget) this.#delete(id);
    } else if (!forget) {
      addUser(failure, fields['user']);
      this.#set(id, failure, now);
    }

    const severalUsers = merged.users !== undefined && merged.users.size > 1;
    const counted = merged.pending || severalUsers;
    merged.pending = false;
    if (counted) {
      merged.fields['nofail'] = undefined;
      merged.fields['mlfgained'] = undefined;
      uncounted = false;
    }
    if (!uncounted) {
      const own = gained && !counted ? none : lines;
      merged.matches = joined(joined(merged.uncounted, merged.matches ?? none), own);
      merged.uncounted = none;
    } else if (!forget) merged.uncounted = joined(merged.uncounted, lines);
    return merged;
  }

  /** Whether a session is open. */
  has(id: string, now: number): boolean {
    return this.#get(id, now) !== undefined;
  }

  /**
   * False: what stands there begins with the id of no session that is open.
   * @param bytes ASCII
   */
  mayBeginAt(bytes: Uint8Array, start: number): boolean {
    return this.#marks.mayBeginAt(bytes, start);
  }

  #get(id: string, now: number): Draft | undefined {
    const session = this.#sessions.get(id);
    if (!session) return undefined;
    if (session.expires > now) return session.draft;
    this.#delete(id);
    return undefined;
  }

  #set(id: string, draft: Draft, now: number): void {
    if (this.#sessions.size >= maxSessions) {
      for (const [oldest, { expires }] of this.#sessions) {
        this.#delete(oldest);
        if (expires > now && this.#sessions.size < maxSessions) break;
      }
    }
    this.#sessions.set(id, { draft, expires: now + maxAge });
    this.#marks.add(id);
  }

  /** Of a session that there is. */
  #delete(id: string): void {
    this.#sessions.delete(id);
    this.#marks.delete(id);
  }
}

/** Takes a line's captures into its session. */
function update(session: Draft, fields: Captures, gained: boolean): void {
  const wasUncounted = isSet(session.fields['nofail']) || isSet(session.fields['mlfgained']);
  session.fields['nofail'] = undefined;
  session.fields['mlfgained'] = undefined;
  if (gained) session.pending = false;
  // What stood against the session has been reported with its last failure.
  if (!wasUncounted && !session.pending) session.matches = undefined;
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) session.fields[name] = value;
  }
}

function joined(a: readonly BufferedLine[], b: readonly BufferedLine[]): readonly BufferedLine[] {
  if (a.length === 0) return b;
  return b.length === 0 ? a : [...a, ...b];
}

function addUser(draft: Draft, user: Captures[string]): void {
  if (!isSet(user)) return;
  draft.users ??= new Set();
  draft.users.add(String(user));
}

/** Groups that captured nothing, or the empty string, say nothing. */
export function isSet(value: Captures[string]): boolean {
  return value !== undefined && value.length > 0;
}
