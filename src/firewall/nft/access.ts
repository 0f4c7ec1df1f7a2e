import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { AccessRules } from '../access/access-rules.ts';
import { sourceMatches } from './matches.ts';
import { accessChain, accessOwner } from './names.ts';
import { closedPorts, portMatch, type Chain, type Line } from './expressions.ts';

/**
 * The chains that close ports by label: `access` leads to one a container. They let nobody pass, so bans hold for those who are let in. Only
 * what was addressed to the port before Docker's DNAT is meant (and, forwarded, what was changed by one: everyone's way to the same port
 * elsewhere may lead through this host too), in direction original: answers to what a container itself opened are let through. Established
 * connections are cut, as by bans. What comes over the loopback is this host's.
 */
export function accessChains({ containers, exempt }: AccessRules): [name: string, chain: Chain][] {
  if (containers.length === 0) return [];
  const own = containers.map(({ container, allow, deny }): [string, Chain] => {
    const owner = accessOwner(container);
    const texts = [
      ...lookups(exempt, 'return'),
      ...lookups(deny, 'counter drop'),
      ...(allow ? [...lookups(allow, 'return'), 'counter drop'] : []),
    ];
    return [accessChain(container), chain(owner, texts)];
  });
  const running = containers.filter(({ awaited = false }) => !awaited);
  const awaited = containers.filter((access) => access.awaited);
  const chains: [string, Chain][] = [...own, ['access', entrance(running)]];
  if (awaited.length > 0) chains.push([awaitedChain, entrance(awaited)]);
  return chains;
}

/** The chain that leads to those of containers which don't run: only from what is forwarded. */
export const awaitedChain = 'awaited';

function entrance(containers: readonly AccessSpec[]): Chain {
  const jumps = containers.flatMap(({ container, closes }) =>
    closedPorts(closes)
      .map(portMatch)
      .map(({ protocol, match }): Line => ({
        text: `meta l4proto ${protocol} ${match}jump ${accessChain(container)}`,
        jail: accessOwner(container),
      })),
  );
  const { rules, ...rest } = chain(undefined, ['iifname lo return', 'ct direction reply return']);
  return { ...rest, rules: [...rules, ...jumps] };
}

function chain(owner: string | undefined, texts: readonly string[]): Chain {
  return { hook: undefined, rules: texts.map((text) => ({ text, jail: owner })), jail: owner };
}

/** The sets are part of the rules: they are made, changed and looked at with these. */
function lookups(entries: readonly string[], verdict: string): string[] {
  return sourceMatches(entries).map((match) => `${match} ${verdict}`);
}
