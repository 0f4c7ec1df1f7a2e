import { ConfigError, invalid } from '../conf/config-error.ts';
import { evaluateFormula, parseFormula, type Formula } from './formula.ts';

/** fail2ban's `bantime.increment` family: how a ban grows with the bans before it. */
export interface BanTimeIncrement {
  /** The next ban in seconds, from `ban.Time`, `ban.Count`, `banFactor` (also `factor`). Used without `multipliers`. */
  readonly formula: Formula;
  /** The n-th ban lasts `bantime * factor * multipliers[n]`, the last of them for all later ones. */
  readonly multipliers: readonly number[];
  readonly factor: number;
  /** Seconds; undefined: no limit. */
  readonly maxtime: number | undefined;
  /** Up to so many seconds more, at random. */
  readonly rndtime: number;
  /** Whether bans of other jails count. */
  readonly overalljails: boolean;
}

/** fail2ban's own: doubles with every ban. */
export const defaultFormula = 'ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor';

/** The names that a formula may use. */
export const formulaVariables = ['ban.Time', 'ban.Count', 'banFactor', 'factor'] as const;

/** @throws ConfigError */
export function parseBanFormula(text: string): Formula {
  const formula = parseFormula(text, formulaVariables);
  const sample = evaluateFormula(formula, { 'ban.Time': 600, 'ban.Count': 1, banFactor: 1, factor: 1 });
  if (!Number.isFinite(sample)) {
    throw new ConfigError(
      `${JSON.stringify(text)} gives no number for the second ban`,
      `try ${defaultFormula}`,
    );
  }
  return formula;
}

/** A number or arithmetic of numbers, such as `2.0 / 2.885385`. @throws ConfigError */
export function parseFactor(text: string): number {
  const factor = evaluateFormula(parseFormula(text, []), {});
  if (Number.isFinite(factor) && factor > 0) return factor;
  throw invalid('factor', text, 'write a number above 0, such as 1 or 2.5');
}

/** Whole numbers, one a ban. @throws ConfigError */
export function parseMultipliers(text: string): number[] {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => {
      if (/^\d{1,9}$/.test(word)) return Number(word);
      throw invalid('multiplier', word, 'write whole numbers: 1 2 4 8 16');
    });
}

/**
 * Seconds of the ban after `count` earlier ones (as fail2ban computes it, its formula never shortens a ban).
 *
 * @param bantime the jail's own, in seconds; a permanent one stays permanent
 * @param random between 0 and 1
 */
export function grownBanTime(
  increment: BanTimeIncrement,
  bantime: number,
  count: number,
  random: number,
): number {
  if (bantime < 0 || count === 0) return bantime;
  const { formula, multipliers, factor, maxtime = Infinity, rndtime } = increment;
  const multiplier = multipliers[Math.min(count, multipliers.length - 1)];
  const grown =
    multiplier === undefined
      ? evaluateFormula(formula, { 'ban.Time': bantime, 'ban.Count': count, banFactor: factor, factor })
      : bantime * factor * multiplier;
  const bounded = Math.min(multiplier === undefined ? Math.max(bantime, grown) : grown, maxtime);
  return (Number.isNaN(bounded) ? bantime : bounded) + random * rndtime;
}
