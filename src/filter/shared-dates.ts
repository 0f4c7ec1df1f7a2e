import { LineDates, type DateRules } from './line-dates.ts';

/**
 * Lets filters that are given the same lines, each the same LogLine object, find the date of each line once.
 */
export class SharedDates {
  readonly #byRules = new Map<string, LineDates>();

  /** @throws Dock2banError `datepattern` */
  of(rules: DateRules): LineDates {
    const key = JSON.stringify(rules);
    let dates = this.#byRules.get(key);
    if (!dates) {
      dates = new LineDates(rules);
      this.#byRules.set(key, dates);
    }
    return dates;
  }
}
