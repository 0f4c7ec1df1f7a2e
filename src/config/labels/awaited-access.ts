import type { AwaitedContainer } from '../../docker/snapshot.ts';
import type { AccessSpec } from './access-spec.ts';
import { readAccess } from './access.ts';
import { believedLabels } from './believed-labels.ts';
import type { ConfigProblem } from '../jail-spec.ts';
import { defaultPolicy, type LabelPolicy } from './label-policy.ts';
import { isAccessLabel, labelProblem } from './label.ts';

/**
 * Who will get to containers that don't run, as far as that is known before: what is closed already is never open when they start. What is wrong
 * with their labels is told when they run.
 * @param known what labels of other containers say; a container that is among them, since it restarts, is left to that
 */
export function awaitedAccess(
  containers: readonly AwaitedContainer[],
  known: readonly AccessSpec[],
  policy: LabelPolicy = defaultPolicy,
): { readonly access: readonly AccessSpec[]; readonly problems: readonly ConfigProblem[] } {
  const names = new Set(known.map(({ container }) => container));
  const awaited = containers
    .filter(({ name, hostNetwork }) => !hostNetwork && !names.has(name))
    .map((container) => believedLabels(container, policy).container);
  const access = awaited.flatMap((container): AccessSpec[] => {
    if (container.publishedPorts.length === 0) return [];
    const spec = readAccess(container).access;
    return spec ? [{ ...spec, awaited: true }] : [];
  });
  const problems = awaited.flatMap((container): ConfigProblem[] => {
    const name = Object.keys(container.labels).find(isAccessLabel);
    if (!container.hasUnknownPorts || name === undefined) return [];
    const label = { name, value: container.labels[name]! };
    const message =
      'Docker chooses ports for it when it starts: these are open to everyone for a moment then, until they are known';
    const fix = 'publish fixed ports, such as 8080:80';
    return [labelProblem(container, label, message, fix, { severity: 'info' })];
  });
  return { access, problems };
}
