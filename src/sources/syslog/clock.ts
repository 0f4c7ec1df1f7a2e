const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const traditional = /^([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)$/;
const iso = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/;
const day = 86_400_000;

/** Reads the timestamps of a syslog file. The seconds, which many lines share, are read once. */
export class SyslogClock {
  readonly #now: () => number;
  #lastSecond = '';
  #lastTime: number | undefined;

  /** @param now the present, epoch milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Epoch milliseconds of `Nov 22 13:44:53` (local time, the year as fail2ban sees it: this year's, but last year's if
   * that is more than a day ahead) or `2026-11-22T13:44:53.123456+00:00` (without a zone: local time). Undefined if it is
   * neither, or no date of the calendar.
   */
  read(stamp: string): number | undefined {
    const [, second, fraction, zone = ''] = iso.exec(stamp) ?? [];
    if (second === undefined) return this.#once(stamp, () => this.#traditional(stamp));
    const time = this.#once(second + zone, () => isoTime(second, zone));
    if (time === undefined || fraction === undefined) return time;
    return time + Number(fraction.slice(0, 3).padEnd(3, '0'));
  }

  #once(second: string, read: () => number | undefined): number | undefined {
    if (second !== this.#lastSecond) {
      this.#lastTime = read();
      this.#lastSecond = second;
    }
    return this.#lastTime;
  }

  #traditional(stamp: string): number | undefined {
    const [, monthName = '', ...fields] = traditional.exec(stamp) ?? [];
    const month = months.indexOf(monthName);
    const [date = 0, hours = 0, minutes = 0, seconds = 0] = fields.map(Number);
    if (month < 0 || hours > 23 || minutes > 59 || seconds > 60) return undefined;
    const now = this.#now();
    const year = new Date(now).getFullYear();
    for (const candidate of [year, year - 1]) {
      const time = new Date(candidate, month, date, hours, minutes, seconds);
      // 29 February rolls over in other years.
      if (time.getTime() <= now + day && new Date(candidate, month, date).getMonth() === month)
        return time.getTime();
    }
    return undefined;
  }
}

function isoTime(second: string, zone: string): number | undefined {
  const time = Date.parse(second + zone.replace(/(\d\d)(\d\d)$/, '$1:$2'));
  return Number.isNaN(time) ? undefined : time;
}
