import { invalid, orElse } from '../conf/config-error.ts';
import { evaluateFormula, parseFormula } from './formula.ts';

const day = 86_400;
const year = 365.25 * day;

/** fail2ban's abbreviations (jail.conf(5), "TIME ABBREVIATION FORMAT"), in seconds. A month is a twelfth of a year. */
const units: readonly (readonly [names: string, seconds: number])[] = [
  ['days?|da|dd?', day],
  ['weeks?|wee?|ww?', 7 * day],
  ['months?|mon?', year / 12],
  ['years?|yea?|yy?', year],
  ['seconds?|sec?|ss?', 1],
  ['minutes?|min?|mm?', 60],
  ['hours?|hou?|hh?', 3600],
];

const patterns = units.map(
  ([names, seconds]) => [new RegExp(`(?<=[\\d\\s])(?:${names})\\b`, 'gi'), seconds] as const,
);

/**
 * Seconds of fail2ban's time format: `600`, `10m`, `1d12h30m`, `1y 6mo`, `1h-30m`, `-1`, `2*3h`. Parts that stand side
 * by side are added; `#` begins a comment.
 *
 * @throws ConfigError if it is no such time
 */
export function parseDuration(text: string): number {
  let expression = text.replace(/#.*$/s, '').replaceAll(/(?<=[a-z])(\d)/gi, ' $1');
  for (const [pattern, seconds] of patterns) {
    // With its point, as fail2ban has it for months and years: "1mo." is a typing error, not a number.
    expression = expression.replaceAll(pattern, `*${seconds >= year / 12 ? seconds.toFixed(1) : seconds}`);
  }
  expression = expression.replaceAll(/(\d)\s+(\d)/g, '$1+$2');
  const seconds = orElse(
    () => evaluateFormula(parseFormula(expression, []), {}),
    () => Number.NaN,
  );
  if (Number.isFinite(seconds)) return seconds;
  throw invalid('duration', text, 'write seconds (600) or abbreviations such as 10m, 12h, 1d12h30m, 1w');
}
