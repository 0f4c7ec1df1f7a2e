import { nearest } from '../options/nearest.ts';

/** The options that say who gets to a container, with or without a jail: `fail2ban.allowfrom`, `fail2ban.denyfrom`. */
export const accessOptions = ['allowfrom', 'denyfrom'] as const;
export type AccessOption = (typeof accessOptions)[number];

const prefix = 'fail2ban.';

/** Whether a label is one of those that are read here. */
export function isAccessLabel(name: string): boolean {
  return accessOptions.some((option) => name.toLowerCase() === prefix + option);
}

/** The access option that an unknown label was probably meant to be. */
export function meantAccessOption(label: string): string | undefined {
  return nearest(label.slice(prefix.length).toLowerCase(), accessOptions);
}
