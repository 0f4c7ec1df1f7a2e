import type { AccessSpec } from '../config/labels/access-spec.ts';
import type { Ban } from '../jail/ban.ts';
import {
  chooseBackend,
  isNftablesEngine,
  type BackendName,
  type Choice,
  type Jump,
} from './backend-choice.ts';
import { FirewallError, isWithoutTraces } from './tool/errors.ts';
import type {
  BanKey,
  FirewallInfo,
  GuardedJail,
  MovableFirewall,
  Reconciliation,
  Refusal,
} from './firewall.ts';
import { Gate } from '../async/gate.ts';
import { Serial } from '../async/serial.ts';

export interface AutoFirewallOptions {
  readonly backends: Readonly<Record<BackendName, MovableFirewall>>;
  /** The one to enforce with, whatever fits; undefined: the one that fits. */
  readonly fixed: BackendName | undefined;
  /** Looks for Docker's jump. */
  readonly lookForJump: () => Promise<Jump>;
  /** `FirewallBackend.Driver` of the engine's last answer to `GET /info`; undefined: none yet, or it doesn't say. */
  readonly engineBackend: () => string | undefined;
}

/** What a backend that is not in use may still hold. */
type Leftovers = 'perhaps' | 'surely';

/**
 * Enforces with the backend that fits the engine, and looks at every `reconcile` whether that is still so. If not, the other backend takes the
 * bans first, and only when they are in force are the rules of the first removed. So it is with what an earlier run left in the other backend.
 */
export class AutoFirewall implements MovableFirewall {
  readonly #backends: Readonly<Record<BackendName, MovableFirewall>>;
  readonly #fixed: BackendName | undefined;
  readonly #lookForJump: () => Promise<Jump>;
  readonly #engineBackend: () => string | undefined;
  readonly #gate = new Gate();
  readonly #serial = new Serial();
  readonly #opened = new Set<BackendName>();
  readonly #leftovers = new Map<BackendName, Leftovers>();
  /** Every jail that had to do with this firewall. */
  readonly #jails = new Set<string>();
  #engine: string | undefined;
  #choice: Choice | undefined;
  /** Why the backend that fits is not in use. */
  #obstacle: string | undefined;

  constructor({ backends, fixed, lookForJump, engineBackend }: AutoFirewallOptions) {
    this.#backends = backends;
    this.#fixed = fixed;
    this.#lookForJump = lookForJump;
    this.#engineBackend = engineBackend;
  }

  get info(): FirewallInfo | undefined {
    const choice = this.#choice;
    const info = choice && this.#backends[choice.backend].info;
    if (!info) return undefined;
    const remarks = [`chosen because ${choice.why}`, ...info.remarks];
    return { ...info, remarks: this.#obstacle === undefined ? remarks : [...remarks, this.#obstacle] };
  }

  get bans(): Iterable<Ban> {
    return this.#current.bans;
  }

  /** The backend that fits, or else the other one, unless it is fixed. */
  async open(): Promise<FirewallInfo> {
    const choice = await this.#decide();
    try {
      await this.#openBackend(choice.backend);
      this.#choice = choice;
    } catch (error) {
      if (!(error instanceof FirewallError) || this.#fixed) throw error;
      const backend = otherThan(choice.backend);
      await this.#openBackend(backend).catch(() => {
        throw error;
      });
      this.#choice = { backend, why: `${choice.backend} can't be used: ${error.message}` };
    }
    this.#leftovers.set(otherThan(this.#choice.backend), 'perhaps');
    return this.info!;
  }

  takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>> {
    return this.#serial.run(async () => {
      for (const jail of jails) this.#jails.add(jail);
      const held = new Map(await this.#current.takeOver(jails));
      for (const name of this.#leftovers.keys()) {
        for (const [jail, bans] of await this.#takeOverFrom(name, jails)) {
          const known = new Set((held.get(jail) ?? []).map(({ ip }) => ip));
          const found = bans.filter(({ ip }) => !known.has(ip));
          const refused = (await this.#current.ban(found)).filter(({ kind }) => kind === 'kernel');
          const gone = new Set(refused.map(({ ip }) => ip));
          held.set(jail, [...(held.get(jail) ?? []), ...found.filter(({ ip }) => !gone.has(ip))]);
        }
      }
      return held;
    });
  }

  reconcile(jails: readonly GuardedJail[], access: readonly AccessSpec[] = []): Promise<Reconciliation> {
    return this.#serial.run(async () => {
      for (const { name } of jails) this.#jails.add(name);
      const moved = await this.#review(jails, access);
      const result = moved ?? (await this.#gate.pass(() => this.#current.reconcile(jails, access)));
      return result.shortfalls.length > 0 ? result : this.#sweep(result);
    });
  }

  ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    return this.#gate.pass(() => this.#current.ban(bans));
  }

  unban(bans: readonly BanKey[]): Promise<void> {
    return this.#gate.pass(() => this.#current.unban(bans));
  }

  flush(): Promise<void> {
    return this.#serial.run(async () => {
      await this.#gate.pass(() => this.#current.flush());
      for (const name of this.#leftovers.keys()) await this.#flushLeftovers(name);
    });
  }

  /** The kernel keeps the bans. */
  async close(): Promise<void> {
    await this.#serial.run(async () => {
      for (const name of this.#opened) await this.#backends[name].close();
    });
  }

  get #current(): MovableFirewall {
    return this.#backends[this.#choice?.backend ?? 'docker-user'];
  }

  /** What docker-user was chosen for may be gone for a while, by a flush or a restart: as long as Docker doesn't say otherwise, it stays. */
  async #decide(): Promise<Choice> {
    if (this.#fixed) return { backend: this.#fixed, why: 'it is configured' };
    this.#engine = this.#engineBackend() ?? this.#engine;
    if (isNftablesEngine(this.#engine)) return chooseBackend({ engine: this.#engine, jump: 'none' });
    if (this.#choice?.backend === 'docker-user') return this.#choice;
    return chooseBackend({ engine: this.#engine, jump: await this.#lookForJump() });
  }

  /** Moves the bans if another backend fits by now. @returns what its first reconcile came to; undefined: nothing was moved */
  async #review(
    jails: readonly GuardedJail[],
    access: readonly AccessSpec[],
  ): Promise<Reconciliation | undefined> {
    try {
      const choice = await this.#decide();
      if (choice.backend === this.#choice?.backend) {
        this.#choice = choice;
        this.#obstacle = undefined;
        return undefined;
      }
      return await this.#move(choice, jails, access);
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
      this.#obstacle = `another backend would fit better, but can't be used: ${error.message}`;
      return undefined;
    }
  }

  async #move(
    choice: Choice,
    jails: readonly GuardedJail[],
    access: readonly AccessSpec[],
  ): Promise<Reconciliation> {
    const next = this.#backends[choice.backend];
    await this.#openBackend(choice.backend);
    return this.#gate.alone(async () => {
      const before = this.#choice!.backend;
      try {
        // What it may hold of an earlier time was taken over long ago, and may have been lifted since.
        await next.flush();
        await next.takeOver([...this.#jails]);
        const refused = await next.ban([...this.#current.bans]);
        const result = await next.reconcile(jails, access);
        const [shortfall] = result.shortfalls;
        if (shortfall) throw shortfall.error;
        this.#choice = choice;
        this.#obstacle = undefined;
        this.#leftovers.delete(choice.backend);
        this.#leftovers.set(before, 'surely');
        return { ...result, refused: [...refused, ...result.refused] };
      } catch (error) {
        // Two backends at once would not agree for long.
        this.#leftovers.set(choice.backend, 'surely');
        await this.#flushLeftovers(choice.backend).catch(() => undefined);
        throw error;
      }
    });
  }

  /** Removes what other backends hold, now that the bans are in force without it. */
  async #sweep(result: Reconciliation): Promise<Reconciliation> {
    const shortfalls = [...result.shortfalls];
    for (const [name, certainty] of this.#leftovers) {
      try {
        await this.#flushLeftovers(name);
      } catch (error) {
        if (!(error instanceof FirewallError)) throw error;
        if (certainty === 'perhaps') continue;
        const consequence = `lifted bans may still be enforced by ${name}`;
        shortfalls.push({ jail: undefined, family: undefined, consequence, error });
      }
    }
    return { ...result, shortfalls };
  }

  async #flushLeftovers(name: BackendName): Promise<void> {
    try {
      await this.#openBackend(name);
      await this.#backends[name].flush();
      await this.#backends[name].close();
    } catch (error) {
      if (!isWithoutTraces(error)) throw error;
    }
    this.#leftovers.delete(name);
  }

  async #takeOverFrom(
    name: BackendName,
    jails: readonly string[],
  ): Promise<ReadonlyMap<string, readonly Ban[]>> {
    try {
      await this.#openBackend(name);
      return await this.#backends[name].takeOver(jails);
    } catch (error) {
      if (error instanceof FirewallError) return new Map();
      throw error;
    }
  }

  async #openBackend(name: BackendName): Promise<void> {
    if (this.#opened.has(name)) return;
    await this.#backends[name].open();
    this.#opened.add(name);
  }
}

function otherThan(name: BackendName): BackendName {
  return name === 'nftables' ? 'docker-user' : 'nftables';
}
