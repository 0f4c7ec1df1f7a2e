import type { SpannedMatch } from '../python-regex/match.ts';
import type { Alphabet } from '../python-regex/char-set.ts';
import { alphabetOf } from '../python-regex/pattern.ts';
import type { DateTemplate } from './template.ts';

/** A template in the list, with what is known of its use. */
interface Candidate {
  readonly template: DateTemplate;
  /** How often it found a date, chosen or not. */
  found: number;
  /** How often its date was chosen. */
  hits: number;
  /** Epoch milliseconds when it was chosen last. */
  lastUsed: number;
  /** Where its last chosen match began. */
  distance: number;
}

interface Place {
  readonly candidate: Candidate;
  readonly index: number;
  readonly match: SpannedMatch;
}

/** Where the last date stood, and the characters at its edges. */
interface LastPlace {
  readonly start: number;
  readonly end: number;
  readonly before: string;
  readonly first: string;
  readonly last: string;
  readonly after: string;
}

/** What the template of the last date made of a line. */
interface LastTry {
  readonly place: Place | undefined;
  /** No other template needs to be asked. */
  readonly sure: boolean;
  /** The whole line was searched. */
  readonly whole: boolean;
}

export interface FoundDate {
  readonly template: DateTemplate;
  readonly match: SpannedMatch;
}

/** A template as tools show it. */
export interface TemplateHits {
  readonly name: string;
  readonly hits: number;
  readonly pattern: string | undefined;
  readonly expression: string;
  /** By which the templates are put in order: hits by `ownWeight`, less the farther right they stand. */
  readonly weight: number;
  readonly ownWeight: number;
}

export interface FoundLead {
  readonly template: DateTemplate;
  readonly end: number;
}

const forgotten = 300_000;
const nowhere = 0x7fffffff;

/**
 * Finds the date of each line, with the template that found the last one where it fits, and moves templates that are
 * used more to the front. The order of trials decides which of several dates in a line is taken; it is fail2ban's
 * (1.0, server/datedetector.py).
 */
export class DateDetector {
  readonly #list: Candidate[];
  #lastIndex = nowhere;
  #lastPlace: LastPlace | undefined;
  #firstUnused = 0;

  readonly #onExceeded: ((length: number) => void) | undefined;
  /** What the line at hand has cost, as a part of what one may cost. */
  #spent = 0;

  /** @param onExceeded called when a template wasn't tried to the end for its cost, with the length of the line */
  constructor(templates: readonly DateTemplate[], onExceeded?: (length: number) => void) {
    this.#onExceeded = onExceeded;
    this.#list = templates.map((template) => ({
      template,
      found: 0,
      hits: 0,
      lastUsed: 0,
      distance: nowhere,
    }));
  }

  /** The templates and their hits, in their present order. */
  get hits(): TemplateHits[] {
    return this.#list.map((candidate) => {
      const { template, hits } = candidate;
      const { name, pattern, expression } = template;
      return { name, hits, pattern, expression, weight: weightOf(candidate), ownWeight: template.weight };
    });
  }

  /** The template that found the last date. */
  get last(): DateTemplate | undefined {
    return this.#list[this.#lastIndex]?.template;
  }

  /**
   * Where the date at the begin of a line ends, if it is of the form that was found last: a shortcut for `find`, that
   * counts as it does. Undefined: `find` has to tell.
   */
  findLeading(line: string, now: number): FoundLead | undefined {
    const candidate = this.#list[this.#lastIndex];
    const end = candidate?.template.leadingEnd(line);
    if (!candidate || end === undefined) return undefined;
    candidate.found += 1;
    candidate.hits += 1;
    candidate.lastUsed = now;
    return { template: candidate.template, end };
  }

  /** @param now epoch milliseconds */
  find(line: string, now: number): FoundDate | undefined {
    const alphabet = alphabetOf(line);
    this.#spent = 0;
    const last = this.#tryLast(line, alphabet);
    const place = last?.sure ? last.place : this.#tryAll(line, alphabet, last);
    if (!place) return undefined;
    this.#remember(place, line, now);
    return { template: place.candidate.template, match: place.match };
  }

  /** Tries the template that found the last date. */
  #tryLast(line: string, alphabet: Alphabet): LastTry | undefined {
    const index = this.#lastIndex;
    const candidate = this.#list[index];
    const at = this.#lastPlace;
    if (!candidate || !at) return undefined;
    const { anchored } = candidate.template;
    const partly = !anchored && looksSame(line, at);
    const match = partly
      ? this.#findOne(candidate, line.slice(0, at.end), alphabet, at.start)
      : this.#findOne(candidate, line, alphabet, 0);
    if (!match) return { place: undefined, sure: false, whole: !partly };
    const same = match.start === at.start && match.end === at.end;
    const sure = this.#list.length === 1 || anchored || same;
    return { place: { candidate, index, match }, sure, whole: !partly };
  }

  #tryAll(line: string, alphabet: Alphabet, last: LastTry | undefined): Place | undefined {
    const limit = this.#lastPlace?.start ?? 1;
    let best = last?.place;
    for (const [index, candidate] of this.#list.entries()) {
      if (last?.whole && index === this.#lastIndex) continue;
      const match = this.#findOne(candidate, line, alphabet, 0);
      if (!match) continue;
      const place = { candidate, index, match };
      const next = this.#list[index + 1];
      if (!next || candidate.template.anchored) return place;
      if (match.start === 0 && candidate.hits > 0 && next.found === 0) return place;
      if (match.start <= candidate.distance && match.start <= limit) return place;
      // Farther to the right than before: perhaps a date in the message. Look for a better one.
      if (!best || match.start < best.match.start) best = place;
    }
    return best;
  }

  #findOne(candidate: Candidate, line: string, alphabet: Alphabet, from: number): SpannedMatch | undefined {
    const { template } = candidate;
    if (this.#spent >= 1) return undefined;
    const match = template.find(line, alphabet, from);
    this.#spent += template.cost;
    if (match === 'exceeded' || this.#spent >= 1) this.#onExceeded?.(line.length);
    if (typeof match !== 'object') return undefined;
    candidate.found += 1;
    return match;
  }

  #remember({ candidate, index, match }: Place, line: string, now: number): void {
    const { start, end } = match;
    candidate.hits += 1;
    candidate.lastUsed = now;
    candidate.distance = start;
    if (this.#firstUnused === index) this.#firstUnused += 1;
    this.#lastPlace = {
      start,
      end,
      before: line.charAt(start - 1),
      first: line.charAt(start),
      last: line.charAt(end - 1),
      after: line.charAt(end),
    };
    this.#lastIndex = index > 0 && index !== this.#lastIndex ? this.#moveUp(index) : index;
  }

  /** Moves a template towards the front if it has earned it. Returns its new index. */
  #moveUp(index: number): number {
    const list = this.#list;
    const candidate = list[index]!;
    const mayPass = (other: Candidate): boolean =>
      weightOf(candidate) > weightOf(other) || candidate.lastUsed - forgotten > other.lastUsed;
    let target = this.#firstUnused < index ? this.#firstUnused : index >> 1;
    if (!mayPass(list[target]!)) {
      if (target === index - 1) return index;
      target = index - 1;
      if (!mayPass(list[target]!)) return index;
    }
    list.splice(index, 1);
    list.splice(target, 0, candidate);
    while ((list[this.#firstUnused]?.hits ?? 0) > 0) this.#firstUnused += 1;
    return target;
  }
}

function weightOf({ hits, template, distance }: Candidate): number {
  return (hits * template.weight) / Math.max(1, distance);
}

/** Whether a line has, at both edges of the last date, the same character outside or the same sign inside. */
function looksSame(line: string, at: LastPlace): boolean {
  const left =
    line.charAt(at.start - 1) === at.before || (line.charAt(at.start) === at.first && isSign(at.first));
  const right = line.charAt(at.end) === at.after || (line.charAt(at.end - 1) === at.last && isSign(at.last));
  return left && right;
}

function isSign(char: string): boolean {
  return !/^[\p{L}\p{N}]$/u.test(char);
}
