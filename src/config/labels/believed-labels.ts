import type { ContainerSnapshot } from '../../docker/snapshot.ts';
import type { ConfigProblem } from '../jail-spec.ts';
import type { LabelPolicy } from './label-policy.ts';
import { labelProblem } from './label.ts';

/**
 * A container with those of its labels that count: what an image's author has written decides nothing, unless the operator trusts images. Docker
 * hands an image's labels down to its containers, so a label that reads as the image's is taken for that. Where the engine doesn't tell an image's
 * labels, all count: what protects a container must not go with the answer.
 */
export function believedLabels<Container extends ContainerSnapshot>(
  container: Container,
  { trustImageLabels }: LabelPolicy,
): { readonly container: Container; readonly problems: readonly ConfigProblem[] } {
  const { imageLabels, labels } = container;
  const [first] = Object.entries(imageLabels === 'unknown' ? {} : (imageLabels ?? {}));
  if (trustImageLabels || imageLabels === undefined) return { container, problems: [] };
  if (imageLabels === 'unknown') return { container, problems: [unknownImage(container)] };
  if (!first) return { container, problems: [] };
  const own = Object.fromEntries(
    Object.entries(labels).filter(([name, value]) => imageLabels[name] !== value),
  );
  const names = Object.keys(imageLabels);
  const message = `${names.join(', ')} ${names.length === 1 ? 'is a label' : 'are labels'} of the image ${container.image}, and an image decides nothing`;
  const [name, value] = first;
  const fix = `to have it so, write it in compose a little otherwise than the image does (${name}: ${JSON.stringify(`${value},`)}, or a space at the end), or run dock2ban with --trust-image-labels (DOCK2BAN_TRUST_IMAGE_LABELS=true) if you trust every image on this host`;
  return {
    container: { ...container, labels: own },
    problems: [labelProblem(container, { name, value }, message, fix)],
  };
}

function unknownImage(container: ContainerSnapshot): ConfigProblem {
  return {
    severity: 'info',
    where: `image ${container.image}`,
    message:
      "the engine doesn't tell which labels are the image's, so all labels of its containers count as their own",
    fix: `see whether docker image inspect ${container.image} answers on the host; a socket proxy must pass GET /images (IMAGES=1); or run dock2ban with --trust-image-labels`,
    container: container.name,
  };
}
