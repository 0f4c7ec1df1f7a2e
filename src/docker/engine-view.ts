import { settledWithin } from '../async/settled-within.ts';
import type { Dock2banError } from '../errors.ts';
import { awaitedContainers, isAwaited } from './awaited-containers.ts';
import { containerSnapshot, listedOnly, namespaceOwnerOf } from './container-snapshot.ts';
import {
  isOurLabel,
  type EngineInfo,
  type ListedContainer,
  type ListedNetwork,
  type ListedService,
  type Listing,
} from './engine/engine-answers.ts';
import { answerProblems, containerProblem, few, notInspected } from './engine-problems.ts';
import type { EngineClient } from './engine/engine-client.ts';
import { NotFound } from './engine/engine-error.ts';
import { ImageLabels } from './image-labels.ts';
import { Inquiries, Inquiry } from './inquiry.ts';
import { inspect, type Inspection } from './inspection.ts';
import { networkSnapshot } from './network-snapshot.ts';
import { listedPorts, type ReadPorts } from './port-bindings.ts';
import { PortOwners } from './port-owners.ts';
import type { ContainerSnapshot, DockerSnapshot, EngineProblem, NetworkSnapshot } from './snapshot.ts';
import { isOnIngress, serviceOf, withService, withServiceLabels } from './swarm-service.ts';

export interface EngineViewOptions {
  /** Called when an answer came later than it was waited for. */
  readonly wake?: () => void;
  /** The networks, as long as the engine doesn't tell. */
  readonly remembered?: readonly NetworkSnapshot[] | undefined;
  /** Milliseconds that everything waits for what is asked of one container, the networks or the services. */
  readonly patience?: number;
}

/** What one look at the engine works with. */
interface Look {
  readonly client: EngineClient;
  readonly signal: AbortSignal;
  /** Every container, whatever its state. */
  readonly listed: ReadonlyMap<string, ListedContainer>;
  readonly problems: EngineProblem[];
}

/**
 * Looks at an engine again and again: at the running containers that carry a `fail2ban.` label, at those that are awaited, and at every network.
 * What it doesn't answer, or what makes no sense, is a problem, and what was known of that stays; nothing else waits for it.
 *
 * - A container is inspected only when the list shows it changed.
 * - A paused container is running: its ports stay published.
 * - A restarting one (crash loop) keeps the ports it was last seen with, so that its bans don't come and go with it.
 * - A task of a Swarm service may carry the label by its service, and has the ports that this publishes.
 * - A container renamed while it runs keeps its log tag, as Docker renders the tag when the container starts.
 */
export class EngineView {
  readonly #wake: () => void;
  readonly #inspections = new Inquiries<Inspection>();
  readonly #info = new Inquiry<EngineInfo>();
  readonly #networks = new Inquiry<Listing<ListedNetwork>>();
  readonly #services = new Inquiry<Listing<ListedService> | undefined>();
  readonly #owners = new PortOwners();
  readonly #images = new ImageLabels();
  readonly #remembered: readonly NetworkSnapshot[];
  readonly #patience: number;
  #looks = 0;
  /** Of which the look is; another connection may lead to another engine. */
  #client: EngineClient | undefined;
  #connections = 0;
  /** What was asked at the last look, beside. */
  #asked: readonly Inquiry<unknown>[] = [];

  constructor({ wake = () => undefined, remembered = [], patience = 1_000 }: EngineViewOptions = {}) {
    this.#wake = wake;
    this.#remembered = remembered;
    this.#patience = patience;
  }

  /** Milliseconds until something that failed should be asked again, by another look. */
  get retryIn(): number {
    return [this.#info, this.#networks, ...this.#asked].reduce(
      (least, { retryIn = Infinity }) => Math.min(least, retryIn),
      Infinity,
    );
  }

  /** @throws Dock2banError if the containers can't be listed */
  async look(client: EngineClient, signal: AbortSignal): Promise<DockerSnapshot> {
    if (client !== this.#client) this.#connections += 1;
    this.#client = client;
    this.#info.ask(String(this.#connections), () => client.info(signal), signal);
    const turn = String((this.#looks += 1));
    this.#networks.ask(turn, () => client.listNetworks(signal), signal);
    const list = await client.listContainers(signal);
    const { entries } = list;
    const look: Look = {
      client,
      signal,
      problems: answerProblems('containers', 'docker ps --all', { value: list }),
      listed: new Map(entries.map((entry) => [entry.Id, entry])),
    };
    this.#owners.look(entries);
    await this.#askServices(entries, turn, look);
    const running = entries.filter((entry) => this.#hasOptedIn(entry));
    const waiting = entries.filter(isAwaited);
    await this.#inspect(running, waiting, look);
    const containers = running.flatMap((entry) => this.#containerOf(entry, look) ?? []);
    const inspectionOf = (id: string): Inspection | undefined => this.#inspections.get(id)?.value;
    const awaited = awaitedContainers(waiting, inspectionOf, this.#owners);
    await this.#settle(this.#images.ask([...containers, ...awaited], client, signal), signal);
    for (const entry of waiting) {
      const trouble = troubleOf(this.#inspections.get(entry.Id));
      if (!trouble) continue;
      look.problems.push(
        notInspected(entry, trouble, 'its ports are open to everyone for a moment after it starts'),
      );
    }
    const networks = this.#networksNow(look);
    look.problems.push(...answerProblems('info', 'docker info', { error: this.#info.error }));
    const awaitedNow = this.#images.addTo(awaited);
    return {
      engine: {
        version: client.engine.Version,
        apiVersion: client.engine.ApiVersion,
        firewallBackend: this.#info.value?.FirewallBackend?.Driver ?? undefined,
      },
      containers: this.#images.addTo(containers),
      ...(awaitedNow.length > 0 && { awaited: awaitedNow }),
      networks,
      ...(look.problems.length > 0 && { problems: few(look.problems) }),
    };
  }

  /** Without a task of a service, the engine isn't asked. */
  async #askServices(
    entries: readonly ListedContainer[],
    turn: string,
    { client, signal, problems }: Look,
  ): Promise<void> {
    const ids = new Set(entries.filter(isRunning).flatMap((entry) => serviceOf(entry) ?? []));
    if (ids.size > 0) this.#services.ask(turn, () => client.listServices([...ids], signal), signal);
    await this.#settle([this.#info, this.#networks, this.#services], signal);
    if (ids.size > 0) problems.push(...answerProblems('services', 'docker service ls', this.#services));
  }

  async #inspect(
    running: readonly ListedContainer[],
    waiting: readonly ListedContainer[],
    { client, signal, listed }: Look,
  ): Promise<void> {
    const asked = new Map<string, Inquiry<Inspection>>();
    const ask = (id: string, key: string): void => {
      const call = (inquiry: Inquiry<Inspection>): Promise<Inspection> =>
        inspect(id, client, inquiry, signal);
      asked.set(id, this.#inspections.ask(id, key, call, signal));
    };
    for (const entry of running) if (!this.#isSettled(entry)) ask(entry.Id, keyOf(entry));
    // Of those that don't run, what counts never changes.
    for (const { Id } of waiting) if (!this.#inspections.get(Id)?.value) ask(Id, '');
    await this.#settle([...asked.values()], signal);
    const owners = running.flatMap((entry) => this.#ownerOf(entry) ?? []);
    for (const id of owners) ask(id, keyOf(listed.get(id)));
    await this.#settle([...asked.values()], signal);
    this.#inspections.keep(new Set([...running, ...waiting].map(({ Id }) => Id).concat(owners)));
    this.#asked = [...asked.values()];
  }

  /** What it was seen with stands while it restarts. */
  #isSettled({ Id, State }: ListedContainer): boolean {
    return State === 'restarting' && this.#inspections.get(Id)?.value !== undefined;
  }

  #ownerOf(entry: ListedContainer): string | undefined {
    const { HostConfig } = this.#inspections.get(entry.Id)?.value?.container ?? entry;
    return namespaceOwnerOf(HostConfig?.NetworkMode);
  }

  /** Waits a moment for answers; those that come later wake. What failed before is not waited for. */
  async #settle(inquiries: readonly Inquiry<unknown>[], signal: AbortSignal): Promise<void> {
    let isLate = false;
    const onSettled = (): void => {
      if (isLate && !signal.aborted) this.#wake();
    };
    const fresh: Promise<void>[] = [];
    for (const { underWay, failures } of inquiries) {
      if (!underWay) continue;
      if (failures === 0) fresh.push(underWay.then(onSettled));
      else void underWay.then(() => signal.aborted || this.#wake());
    }
    if (fresh.length > 0) await settledWithin(this.#patience, Promise.all(fresh), signal);
    isLate = true;
    signal.throwIfAborted();
  }

  #hasOptedIn(entry: ListedContainer): boolean {
    if (!isRunning(entry)) return false;
    const { Labels = this.#inspections.get(entry.Id)?.value?.container.Config.Labels } = entry;
    // What the list doesn't tell, an inspection does.
    if (!Labels) return !this.#inspections.get(entry.Id)?.value;
    return Object.keys(withServiceLabels(Labels, this.#serviceOf(entry))).some(isOurLabel);
  }

  #serviceOf(entry: ListedContainer): ListedService | undefined {
    const id = serviceOf(entry);
    return id === undefined ? undefined : this.#services.value?.entries.find(({ ID }) => ID === id);
  }

  /** Undefined: it has vanished since it was listed, or nothing is known of it yet. */
  #containerOf(entry: ListedContainer, look: Look): ContainerSnapshot | undefined {
    const ownerId = this.#ownerOf(entry);
    const own = this.#known(entry, ownerId === undefined, look);
    if (!own) {
      const trouble = troubleOf(this.#inspections.get(entry.Id));
      if (trouble) look.problems.push(notInspected(entry, trouble, 'its log is not read'));
      return undefined;
    }
    const listedOwner = ownerId === undefined ? undefined : look.listed.get(ownerId);
    const owner = listedOwner && this.#known(listedOwner, true, look);
    const snapshot = containerSnapshot(own, owner);
    if (serviceOf(entry) === undefined) return snapshot;
    const hasIngress = isOnIngress(entry, this.#networks.value?.entries ?? []);
    return withService(snapshot, this.#serviceOf(entry), hasIngress);
  }

  /**
   * The last inspection of a container, with its ports as the list has them, if that has changed since; of one that couldn't be inspected, what the
   * list says.
   */
  #known(entry: ListedContainer, isPublisher: boolean, { problems }: Look): Inspection | undefined {
    const inquiry = this.#inspections.get(entry.Id);
    const value = inquiry?.value;
    const isCurrent = this.#isSettled(entry) || inquiry?.isAnswered(keyOf(entry));
    if (value && isCurrent) return value;
    const trouble = troubleOf(inquiry);
    if (!value && (!trouble || !entry.Labels)) return undefined;
    const listed: ReadPorts = isPublisher ? listedPorts(entry) : { ports: [], unreadable: [] };
    if (trouble) {
      const used = value
        ? 'keeping what was known of it, with the ports from the container list'
        : 'using only what the container list says';
      problems.push(notInspected(entry, trouble, used));
      if (listed.unreadable.length > 0) {
        const what = listed.unreadable.slice(0, 5).join(', ');
        problems.push(
          containerProblem(entry, `invalid published port ${what}: bans and labels don't close it`),
        );
      }
    }
    const publishedPorts = value && listed.ports.length === 0 ? value.publishedPorts : listed.ports;
    return value
      ? { ...value, publishedPorts }
      : { container: listedOnly(entry), tag: undefined, publishedPorts };
  }

  #networksNow({ problems }: Look): readonly NetworkSnapshot[] {
    problems.push(...answerProblems('networks', 'docker network ls', this.#networks));
    const { value } = this.#networks;
    if (!value) return this.#remembered;
    return value.entries.map((entry) => {
      const { network, problems: doubts } = networkSnapshot(entry);
      problems.push(...doubts);
      return network;
    });
  }
}

/** Why a container can't be inspected. One that isn't found once has only vanished since it was listed. */
function troubleOf(inquiry: Inquiry<unknown> | undefined): Dock2banError | undefined {
  const { error, failures = 0 } = inquiry ?? {};
  return error instanceof NotFound && failures === 1 ? undefined : error;
}

function isRunning({ State }: ListedContainer): boolean {
  return !['created', 'exited', 'stopped', 'dead', 'removing'].includes(State);
}

/** Everything listed that an inspection depends on. A restart shows in the endpoints' ids of NetworkSettings. */
function keyOf(entry: ListedContainer | undefined): string {
  if (!entry) return '';
  const { State, Names, NetworkSettings } = entry;
  return JSON.stringify([State, Names, listedPorts(entry), NetworkSettings]);
}
