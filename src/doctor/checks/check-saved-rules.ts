import type { SavedRules } from '../facts/saved-rules.ts';
import { ok, warning, type Finding } from '../finding.ts';

/** Our chain, sets and tables in what iptables-save and nft print; comments of either begin with `#`. */
const ours = /^[^#\n]*(?:--match-set dock2ban-|[:\s]DOCK2BAN\b|\btable \w+ dock2ban\b)/m;

/** Rule files that name what dock2ban makes: at boot, when its sets aren't there yet, they are refused as a whole. */
export function checkSavedRules(files: readonly SavedRules[]): Finding[] {
  return files.map(({ path, text }) => {
    if (!ours.test(text)) return ok('saved rules', `${path} holds none of dock2ban's rules`);
    return warning('saved rules', {
      what: `${path} holds rules of dock2ban's`,
      consequence:
        'loaded at boot, before the sets that they name are there, the file can fail as a whole: the host has no firewall then',
      remedy: path.includes('nft')
        ? `remove them from ${path}: keep only tables of your own there (nft list table inet filter)`
        : `save without them: ${path.includes('6') ? 'ip6tables' : 'iptables'}-save | grep -vi dock2ban > ${path}`,
    });
  });
}
