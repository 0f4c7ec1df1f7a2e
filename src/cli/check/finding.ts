import type { ConfigProblem } from '../../config/jail-spec.ts';

/** Something in the configuration or in a label that is wrong (`error`), or may not be what is meant (`notice`). */
export interface CheckFinding {
  readonly severity: 'error' | 'notice';
  /** `/etc/fail2ban/jail.local:12`, or `container nginx, label fail2ban.maxretry=many`. */
  readonly where: string;
  readonly message: string;
  readonly fix: string;
}

export function findingOf({ severity, where, message, fix }: ConfigProblem): CheckFinding {
  return { severity: severity === 'warn' ? 'error' : 'notice', where, message, fix };
}

/** Without those that say the same of the same place; of two, the graver one stays. */
export function unique(findings: readonly CheckFinding[]): CheckFinding[] {
  const seen = new Map<string, CheckFinding>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.where, finding.message]);
    if (seen.get(key)?.severity !== 'error') seen.set(key, finding);
  }
  return [...seen.values()];
}
