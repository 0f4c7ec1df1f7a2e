import { ConfigError, invalid } from '../conf/config-error.ts';
import type { BlockType } from '../jail-spec.ts';

/**
 * Parses `blocktype`: `drop` or `reject`, or as fail2ban's actions spell them (`DROP`, `REJECT --reject-with …`, ufw's `deny`,
 * route's `unreachable`). What it rejects with is decided by the protocol of the packet.
 *
 * @throws ConfigError
 */
export function parseBlockType(text: string): BlockType {
  const word = text.trim().toLowerCase();
  if (/^(?:drop|deny|blackhole)$/.test(word)) return 'drop';
  if (/^(?:reject(?:\s.*)?|unreach(?:able|\s.*)?|prohibit)$/.test(word)) return 'reject';
  if (/^(?:accept|allow|return)$/.test(word)) {
    throw new ConfigError(
      `${JSON.stringify(text)} would let in the clients that the jail bans`,
      'disable the jail, or write drop or reject',
    );
  }
  throw invalid('blocktype', text, 'write drop or reject');
}
