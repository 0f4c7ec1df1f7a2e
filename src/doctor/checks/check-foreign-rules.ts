import { error, ok, warning, type Finding } from '../finding.ts';
import type { Standing } from '../facts/firewall-facts.ts';
import { rulesBefore, type RuleBefore } from '../rules/rules-before.ts';

/** So many are named; who has more has one cause for them. */
const mostNamed = 5;

/** Rules of others before ours that let packets through for good. Other tables of nft can't: what ours drops stays dropped. */
export function checkForeignRules(standings: readonly Standing[]): Finding[] {
  return standings.flatMap((standing) => {
    if (standing.backend === 'nftables') {
      return [ok('foreign rules', "no other program's rule can accept what dock2ban's table drops")];
    }
    return [...standing.tables].flatMap(([family, table]) => {
      const program = `ip${family === 6 ? '6' : ''}tables-${standing.variant}`;
      const paths = (['FORWARD', 'INPUT'] as const).map((path) => ({
        path,
        rules: rulesBefore(table, path),
      }));
      const findings = paths.flatMap(({ rules }) =>
        (rules ?? []).slice(0, mostNamed).map((rule) => findingOf(rule, program)),
      );
      if (findings.length > 0) return findings;
      const clear = paths.flatMap(({ path, rules }) => (rules ? [path] : []));
      return clear.length > 0
        ? [
            ok(
              'foreign rules',
              `IPv${family}: nothing accepts before dock2ban's rules in ${clear.join(' and ')}`,
            ),
          ]
        : [];
    });
  });
}

function findingOf({ chain, rule, packets, isUnconditional, before }: RuleBefore, program: string): Finding {
  const command = `-A ${chain} ${rule}`;
  return (isUnconditional ? error : warning)('foreign rules', {
    what: `a rule of another program comes before dock2ban's (${program}, ${packets} packets so far): ${command}`,
    consequence: isUnconditional
      ? `what it lets through in ${chain} bypasses all bans`
      : `what it lets through in ${chain} bypasses all bans`,
    remedy:
      before === 'DOCKER-USER'
        ? `put DOCKER-USER first again (the jump further down does no harm): ${program} -w -I FORWARD 1 -j DOCKER-USER`
        : `a running controller puts its own rule first again within 5 seconds; to remove this one: ${program} -w -D ${chain} ${rule}`,
  });
}
