import type { ContainerSnapshot } from '../../docker/snapshot.ts';
import type { ConfigProblem } from '../jail-spec.ts';

/** A label of a container, as written. */
export interface Label {
  readonly name: string;
  readonly value: string;
}

export const labelPrefix = 'fail2ban.';
export const portLabel = 'fail2ban.port';
/** Characters. */
export const longestValue = 16_384;

/** The options that say who gets to a container, with or without a jail: `fail2ban.allowfrom`, `fail2ban.denyfrom`. */
export const accessOptions = ['allowfrom', 'denyfrom'] as const;
export type AccessOption = (typeof accessOptions)[number];

export function isAccessLabel(name: string): boolean {
  return accessOptions.some((option) => name.toLowerCase() === labelPrefix + option);
}

/** `container web, label fail2ban.maxretry=many`. */
export function labelPlace(container: ContainerSnapshot, { name, value }: Label): string {
  const shown = value.length > 200 ? `${value.slice(0, 200)}…` : value;
  return `container ${container.name}, label ${name}=${shown.replaceAll(/[\r\n]+/g, '\\n')}`;
}

export function labelProblem(
  container: ContainerSnapshot,
  label: Label,
  message: string,
  fix: string,
  more: Partial<Pick<ConfigProblem, 'severity' | 'jail'>> = {},
): ConfigProblem {
  const where = labelPlace(container, label);
  return { severity: 'warn', where, message, fix, container: container.name, ...more };
}
