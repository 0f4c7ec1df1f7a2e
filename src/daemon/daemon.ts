import { setTimeout as delay } from 'node:timers/promises';
import type { Controller } from '../control/controller.ts';
import { watchDocker } from '../docker/watch.ts';
import { readyText } from './events/describe.ts';
import { restoreFailures } from './jails/counting.ts';
import { type DaemonParts, wire } from './wiring.ts';

/** Milliseconds between two reconciliations with the kernel. */
const reconcileEvery = 5000;
/** Milliseconds between two purges of the store. */
const purgeEvery = 3_600_000;
/** Milliseconds between two checks for bans that have ended. */
const expireEvery = 1000;

/**
 * Docker's snapshots and the configuration make the jails, the jails' lines make bans, and the firewall is kept at what they say.
 * Level-triggered: every change leads to the same comparison of what is with what should be.
 */
export class Daemon {
  readonly #parts: DaemonParts;
  readonly #wired: ReturnType<typeof wire>;
  readonly #clock: () => number;

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? Date.now;
    this.#wired = wire(parts);
  }

  /** The operator's side. */
  control(): Controller {
    return this.#wired.control;
  }

  /** Runs until `signal` aborts. Rejects for a fault of our own only, after everything has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { neverBan, enforcer, banTimes, sources, store, live, docker, runner, health } = this.#wired;
    const fault = new AbortController();
    const end = AbortSignal.any([signal, fault.signal]);
    this.#tellOfQuarantine();
    neverBan.look();
    await enforcer.restoreLast();
    const tasks = [
      this.#followDocker(end),
      this.#rereadStore(end),
      ...sources.tasks(end),
      every(expireEvery, end, () => banTimes.look()),
      // Before Docker has answered, the wanted state is unknown: what an earlier run left in the kernel protects.
      every(reconcileEvery, end, async () => docker.snapshot && runner.enforce()),
      every(reconcileEvery, end, async () => health.look()),
      every(purgeEvery, end, () => {
        sources.keepPositions();
        return store.purge(this.#clock());
      }),
    ];
    try {
      await Promise.all(tasks);
    } finally {
      fault.abort();
      await Promise.allSettled(tasks);
      await live.close();
      await sources.close();
    }
  }

  /** Closes what `run` left open. @param flush whether all rules are removed; else the bans stay in the kernel */
  async stop(flush: boolean): Promise<void> {
    const { firewall, store, events } = this.#wired;
    if (flush) await firewall.flush();
    await firewall.close();
    store.close();
    events.stopped(flush);
  }

  async #followDocker(signal: AbortSignal): Promise<void> {
    const { docker, notes, live, sources, bans, events } = this.#wired;
    const { connectDocker: connect, logger } = this.#parts;
    let isReady = false;
    for await (const update of watchDocker({ connect, signal, logger, networks: notes.networks })) {
      docker.take(update);
      if (update.type === 'lost') continue;
      await live.follow();
      if (isReady) continue;
      isReady = true;
      await sources.begun();
      this.#ready();
      bans.logRestored().catch((error: unknown) => events.fault(error));
    }
  }

  /** The database may be readable only after a while. */
  async #rereadStore(signal: AbortSignal): Promise<void> {
    const { readable, registry, store, enforcer } = this.#wired;
    while (!signal.aborted) {
      if (!(await readable.wait(purgeEvery, signal))) continue;
      for (const jail of registry.all.values()) restoreFailures(jail, store, this.#clock());
      await enforcer.readopt();
    }
  }

  #tellOfQuarantine(): void {
    const { events } = this.#wired;
    const { problems = [], lastStall } = this.#parts.quarantine ?? {};
    for (const problem of problems) events.quarantineUnusable(problem);
    if (lastStall) events.stalledBefore(lastStall.culprit ?? {}, lastStall.at);
  }

  #ready(): void {
    const { docker, enforcer, registry, events } = this.#wired;
    const { engine } = docker.snapshot!;
    const { version, syslogFile } = this.#parts;
    const firewall = enforcer.info;
    const jails = [...registry.active.keys()];
    events.ready(
      { version, docker: engine, firewall, jails, syslogFile },
      readyText(engine.version, firewall, jails),
    );
  }
}

/** Acts repeatedly, `ms` after each run has ended, until `signal` aborts. */
async function every(ms: number, signal: AbortSignal, act: () => Promise<unknown>): Promise<void> {
  const elapsed = (): Promise<boolean> => delay(ms, true, { signal }).catch(() => false);
  while (await elapsed()) await act();
}
