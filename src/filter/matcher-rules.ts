import type { Expressions } from './expressions.ts';
import type { Hit } from './hit.ts';
import type { SearchBudget } from './search-budget.ts';

/** How a filter's lines are matched. */
export interface MatcherRules extends Expressions {
  readonly maxlines: number;
  /** Try the remaining expressions even if one has matched, as fail2ban's tools do. */
  readonly everyRegex: boolean;
  /** Report sessions whose address isn't known yet too. */
  readonly reportPending: boolean;
  /** Take DNS names as they are. */
  readonly rawNames: boolean;
  /** What a line may cost; undefined: it has no bound but that of each expression. */
  readonly budget: SearchBudget | undefined;
  /** Told at which failregex, or ignoreregex, a line was given up for its cost. */
  readonly onSpent: (list: 'failregex' | 'ignoreregex', index: number, length: number) => void;
  /** The addresses of a DNS name; later ones are reported by who resolves. */
  readonly resolve: (name: string, late: (id: string) => Hit) => readonly string[];
}
