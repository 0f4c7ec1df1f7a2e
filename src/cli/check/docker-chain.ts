import { jailDefinitions } from '../../config/jails/jail-definitions.ts';
import { JailReader } from '../../config/jails/jail-reader.ts';
import { ConfigError } from '../../config/conf/config-error.ts';
import type { ConfigTree } from '../../config/conf/config-tree.ts';
import type { JailSpec } from '../../config/jail-spec.ts';
import type { CheckFinding } from './finding.ts';

/**
 * Jails without a container whose action was made for Docker's chain: packets come there after Docker has translated them, so that
 * the action's port is the container's. Here a port is the host's, and such a ban may close nothing.
 */
export function madeForDocker(tree: ConfigTree, jails: readonly JailSpec[]): CheckFinding[] {
  const definitions = jailDefinitions(tree);
  return jails.flatMap(({ name, containers, closes }): CheckFinding[] => {
    if (containers.length > 0 || closes === 'all' || closes.length === 0) return [];
    const reader = new JailReader(definitions, name, new Map());
    if (!/\bchain\s*=\s*["']?DOCKER-USER\b/.test(actionOf(reader))) return [];
    const message = `jail ${name} bans in DOCKER-USER, where fail2ban sees the port of the container; here it is taken for the one that the host publishes`;
    const fix = `give the container the label fail2ban.jail=${name}: what it publishes is closed then`;
    const where = reader.placeOf(reader.setByOwnSection('action') ? 'action' : 'chain');
    return [{ severity: 'notice', where, message, fix }];
  });
}

/** What is wrong with it is told where jails are resolved. */
function actionOf(reader: JailReader): string {
  try {
    return reader.text('action') ?? '';
  } catch (error) {
    if (error instanceof ConfigError) return '';
    throw error;
  }
}
