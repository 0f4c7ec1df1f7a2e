/**
 * How a check came out. `error`: bans don't hold; `warning`: some bans may miss; `untested`: it can't be told from here;
 * `ok`: it was looked at and is fine.
 */
export type Severity = 'error' | 'warning' | 'untested' | 'ok';

/** What a finding is about. */
export type Topic =
  | 'controller'
  | 'engine'
  | 'privileges'
  | 'firewall'
  | 'foreign rules'
  | 'saved rules'
  | 'IPv6'
  | 'containers'
  | 'logs'
  | 'clock'
  | 'state'
  | 'enforcement';

export interface Finding {
  readonly severity: Severity;
  readonly topic: Topic;
  /** What was found. */
  readonly what: string;
  /** What follows from it for bans. */
  readonly consequence?: string;
  /** What to do: a command, a line of a compose file. */
  readonly remedy?: string;
}

/** What every finding that stands in the way tells. */
export interface Obstacle {
  readonly what: string;
  readonly consequence: string;
  readonly remedy: string;
}

export function error(topic: Topic, obstacle: Obstacle): Finding {
  return { severity: 'error', topic, ...obstacle };
}

export function warning(topic: Topic, obstacle: Obstacle): Finding {
  return { severity: 'warning', topic, ...obstacle };
}

/** @param remedy how it could be tested */
export function untested(topic: Topic, what: string, remedy?: string): Finding {
  return { severity: 'untested', topic, what, ...(remedy !== undefined && { remedy }) };
}

export function ok(topic: Topic, what: string): Finding {
  return { severity: 'ok', topic, what };
}

/** Something that a configuration, a label or the engine's answer has wrong. */
export interface Complaint {
  readonly where: string;
  readonly message: string;
  readonly fix: string;
}

/** Says what several places have in common once, for all of them. */
export function saidOnce(
  complaints: readonly Complaint[],
): { readonly what: string; readonly remedy: string }[] {
  const groups = Map.groupBy(complaints, ({ message, fix }) => `${message}\0${fix}`);
  return Array.from(groups.values(), (group) => ({
    what: `${group.map(({ where }) => where).join('; ')}: ${group[0]!.message}`,
    remedy: group[0]!.fix,
  }));
}

const order: readonly Severity[] = ['error', 'warning', 'untested', 'ok'];

/** Of two with the same severity, the one found first stays first. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

/** Whether a finding stands in the way of bans. */
export function isInTheWay({ severity }: Finding): boolean {
  return severity === 'error' || severity === 'warning';
}
