import type { ContainerSnapshot } from '../../docker/snapshot.ts';
import type { ClosedPort } from '../jail-spec.ts';
import {
  formatPorts,
  intersectPorts,
  mergePorts,
  publishedPorts,
  subtractPorts,
  type PortChoice,
} from '../options/ports.ts';

/** What of the ports that a label asks for is closed, and what is wrong with the rest. */
export interface GrantedPorts {
  readonly closes: readonly ClosedPort[];
  readonly refused?: string;
}

/** The host's door, which nobody may be shut out from by a label. */
const ssh: ClosedPort = { protocol: 'tcp', first: 22, last: 22, hostAddress: undefined };

/**
 * Which of the host's ports are a container's own, so that its labels may close them: those that it publishes. What a container in the host's
 * network serves, or a task behind Swarm's ingress network on a worker, Docker doesn't tell: there it is any port that isn't known to be
 * another's, which ssh's is, those that other containers publish, and those of the operator's own jails.
 */
export class OwnPorts {
  readonly #others: readonly ClosedPort[];

  /** @param hostServices ports that jails of the operator's close for services of the host */
  constructor(containers: readonly ContainerSnapshot[], hostServices: readonly ClosedPort[]) {
    const published = publishedPorts(containers.flatMap((container) => container.publishedPorts));
    this.#others = mergePorts([ssh, ...hostServices, ...published]);
  }

  /** What a label's choice closes. Nothing that is its own is left of a list: what it publishes. */
  grant(container: ContainerSnapshot, choice: PortChoice): GrantedPorts {
    const published = publishedPorts(container.publishedPorts);
    if (choice === 'published') return { closes: published };
    if (!container.hostNetwork && !container.hiddenServicePorts) return withinPublished(choice, published);
    if (choice === 'all') {
      return container.hostNetwork
        ? {
            closes: this.everything,
            refused: `a label closes no port that is another's: ${formatPorts(this.everything)} are closed`,
          }
        : {
            closes: published,
            refused: "a label closes its own container's ports alone, and these aren't known here",
          };
    }
    const closes = mergePorts([...subtractPorts(choice, this.#others), ...intersectPorts(choice, published)]);
    const refused = subtractPorts(choice, closes);
    if (refused.length === 0) return { closes };
    const one = isOne(refused);
    return {
      closes,
      refused: `${formatPorts(refused)} ${one ? 'is' : 'are'} left open: ${one ? 'it is' : 'they are'} the host's own or another container's`,
    };
  }

  /** What may be closed of a container in the host's network of which nobody says what it serves. */
  get everything(): readonly ClosedPort[] {
    const whole = (['tcp', 'udp', 'sctp'] as const).map((protocol) => ({
      protocol,
      first: 1,
      last: 65_535,
      hostAddress: undefined,
    }));
    return subtractPorts(whole, this.#others);
  }
}

function withinPublished(
  choice: 'all' | readonly ClosedPort[],
  published: readonly ClosedPort[],
): GrantedPorts {
  const own = formatPorts(published) || 'none';
  if (choice === 'all') {
    return {
      closes: published,
      refused: `a label closes no more than what its container publishes (${own})`,
    };
  }
  const closes = intersectPorts(choice, published);
  const refused = subtractPorts(choice, published);
  if (refused.length === 0) return { closes };
  const what = `the container doesn't publish ${formatPorts(refused)}`;
  return closes.length > 0
    ? { closes, refused: `${what}, so ${isOne(refused) ? 'it stays' : 'they stay'} open` }
    : { closes: published, refused: `${what}: what it publishes (${own}) is closed instead` };
}

function isOne(ports: readonly ClosedPort[]): boolean {
  return ports.length === 1 && ports[0]!.first === ports[0]!.last;
}
